// The notebook's view: one module and one style sheet, as anywidget takes them, beside the page.
import { defineConfig } from 'vite';

export default defineConfig({
  publicDir: false,
  define: { 'process.env.NODE_ENV': '"production"' },
  build: {
    outDir: '../python/nb101/explore/bundle',
    emptyOutDir: false,
    target: 'es2022',
    cssCodeSplit: false,
    // anywidget loads one module: what the page loads later is in it.
    rolldownOptions: { output: { codeSplitting: false } },
    lib: {
      entry: 'src/widget.tsx',
      formats: ['es'],
      fileName: () => 'widget.js',
      cssFileName: 'widget',
    },
  },
});
