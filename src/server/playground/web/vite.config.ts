import { defineConfig, type Plugin } from "vite";
import { licences } from "./licences.ts";

/** GraphiQL carries 300 kB of fonts inside its style sheet. The page uses the reader's own fonts instead. */
const withoutFonts: Plugin = {
  name: "without-fonts",
  enforce: "pre",
  transform(code, id) {
    if (id.includes("graphiql") && id.endsWith(".css")) return code.replace(/@font-face\s*\{[^}]*\}/g, "");
  },
};

export default defineConfig({
  base: "/playground/",
  plugins: [withoutFonts, licences("THIRD_PARTY_LICENSES.txt")],
  build: {
    outDir: "../dist",
    emptyOutDir: true,
    target: "es2022",
    sourcemap: false,
    modulePreload: false,
    // Every editor is on the screen at once, so splitting would only add round trips.
    rolldownOptions: {
      output: { codeSplitting: false },
      // Packages mark themselves "use client" and the like, which says nothing to a page that is all client.
      onLog: (level, log, report) => log.code === "MODULE_LEVEL_DIRECTIVE" || report(level, log),
    },
    chunkSizeWarningLimit: 2000,
  },
});
