// Builds both faces and weighs what each loads first: more than the budget fails the build.

import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';

const BUDGET_BYTES = 200 * 1024;
const root = fileURLToPath(new URL('..', import.meta.url));

for (const face of ['plant', 'city']) {
  process.env.FACE = face;
  await build({ configFile: join(root, 'vite.config.ts'), logLevel: 'warn' });
  const bytes = weigh(join(root, 'dist', face));
  console.log(`${face}: ${(bytes / 1024).toFixed(1)} kB gzipped of ${BUDGET_BYTES / 1024}`);
  if (bytes > BUDGET_BYTES) {
    console.error(`${face}: the first load is over its budget`);
    process.exitCode = 1;
  }
}

/** Every file counts, so that a lazily loaded place cannot hide. */
function weigh(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + gzipSync(readFileSync(join(entry.parentPath ?? entry.path, entry.name))).length, 0);
}
