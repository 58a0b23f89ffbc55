import { defineConfig } from 'vitest/config';

/** A real browser on the built faces; one at a time, since the machine's cores are what is measured. */
export default defineConfig({
  test: { include: ['browser/**/*.test.ts'], environment: 'node', fileParallelism: false, testTimeout: 120_000, hookTimeout: 60_000, expect: { poll: { timeout: 30_000 } } },
});
