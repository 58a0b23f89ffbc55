import { defineConfig } from 'vitest/config';

/** A real browser on a gateway that has no site file yet, beside a simulated plant; whoever runs it has started them (tests/suite does). */
export default defineConfig({
  test: { include: ['installer/**/*.test.ts'], environment: 'node', fileParallelism: false, testTimeout: 240_000, hookTimeout: 60_000, expect: { poll: { timeout: 30_000 } } },
});
