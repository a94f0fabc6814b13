// The page: index.html and its assets, into the Python package.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  base: './',
  build: {
    outDir: '../python/nb101/explore/bundle',
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: { polyfill: false },
  },
  server: { host: '127.0.0.1', fs: { strict: true } },
  test: { include: ['tests/**/*.test.ts'] },
});
