import { defineConfig } from 'vitest/config';

/** A real browser on the real daemons; whoever runs it has started them (`cargo xtask test` does). */
export default defineConfig({
  test: { include: ['story/**/*.test.ts'], environment: 'node', fileParallelism: false, testTimeout: 240_000, hookTimeout: 60_000, expect: { poll: { timeout: 30_000 } } },
});
