// Cuts the type of printed reports out of Noto Sans SC: Latin, punctuation and every character that GBK has, so that a person's or a place's name prints whatever it is.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import subsetFont from 'subset-font';

const root = fileURLToPath(new URL('..', import.meta.url));
const whole = readFileSync(join(root, 'node_modules/@expo-google-fonts/noto-sans-sc/400Regular/NotoSansSC_400Regular.ttf'));

const cut = await subsetFont(whole, characters(), { targetFormat: 'truetype', noLayoutClosure: true });
const folder = join(root, 'dist', 'print');
mkdirSync(folder, { recursive: true });
const packed = gzipSync(cut, { level: 9 });
writeFileSync(join(folder, 'noto-sans-sc.ttf.gz'), packed);
console.log(`print: ${(cut.length / 1024).toFixed(0)} kB of type, ${(packed.length / 1024).toFixed(0)} kB gzipped`);

function characters() {
  const gbk = new TextDecoder('gbk');
  const found = new Set();
  for (let first = 0x20; first < 0x7f; first += 1) found.add(String.fromCharCode(first));
  for (let code = 0xa0; code <= 0x17f; code += 1) found.add(String.fromCharCode(code));
  for (const other of '–—…‘’“”‰₀₁₂₃₄₅₆₇₈₉⁰¹²³′″℃Ω≤≥±×÷→←↑↓√∞□■▲△▼◆◇●○※✓✗') found.add(other);
  for (let first = 0x81; first <= 0xfe; first += 1) {
    for (let second = 0x40; second <= 0xfe; second += 1) {
      const [character] = gbk.decode(new Uint8Array([first, second]));
      if (character && character !== '\ufffd') found.add(character);
    }
  }
  return [...found].join('');
}
