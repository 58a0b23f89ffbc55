import { defineConfig } from 'vite';
import { fileURLToPath } from 'node:url';

/** One face of the application; build/faces.mjs builds both. `FACE=city npx vite` serves the other one, against the daemon (or fixture) named by DAVY_API. */
const face = process.env['FACE'] === 'city' ? 'city' : 'plant';
const daemon = process.env['DAVY_API'] ?? 'http://127.0.0.1:8080';

/** The daemon refuses acts from another origin: it has to see the address that the browser sees. */
const through = { target: daemon, changeOrigin: false };

export default defineConfig({
  root: fileURLToPath(new URL(`src/${face}`, import.meta.url)),
  base: '/',
  publicDir: false,
  build: {
    outDir: fileURLToPath(new URL(`dist/${face}`, import.meta.url)),
    emptyOutDir: true,
    target: 'es2022',
    // Inlined files would need `data:` in the content policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: { proxy: { '/api': through, '/healthz': through } },
});
