/// <reference types="vitest/config" />
import react from "@vitejs/plugin-react";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { defineConfig, type Plugin, type ProxyOptions } from "vite";

const PORT = 3000;
const server = process.env.LAB_SERVER ?? "http://127.0.0.1:8000";
const token = process.env.LAB_TOKEN;

/** Is this request from the page that this development server itself has served? */
function isOurs(request: IncomingMessage): boolean {
  const origin = request.headers.origin;
  return origin === undefined || origin === `http://localhost:${PORT}` || origin === `http://127.0.0.1:${PORT}`;
}

/**
 * Passes /api on to the lab's server in the name of the page. A request that another site has sent keeps its Origin and
 * gets no token: the server refuses it as it would without the proxy.
 */
const api: ProxyOptions = {
  target: server,
  changeOrigin: true,
  ws: true,
  configure(proxy) {
    proxy.on("proxyReq", (outgoing, incoming) => {
      if (!isOurs(incoming)) return;
      if (incoming.headers.origin) outgoing.setHeader("origin", server);
      if (token) outgoing.setHeader("authorization", `Bearer ${token}`);
    });
    proxy.on("proxyReqWs", (outgoing, incoming) => {
      if (!isOurs(incoming)) return;
      outgoing.setHeader("origin", server);
      if (token) outgoing.setHeader("authorization", `Bearer ${token}`);
    });
  },
};

/** Lays a compressed copy beside each built file: once here, instead of at every request. */
function packed(): Plugin {
  return {
    name: "packed",
    apply: "build",
    writeBundle({ dir }) {
      const assets = join(dir ?? "", "assets");
      for (const name of readdirSync(assets)) {
        const path = join(assets, name);
        if (/\.(js|css)$/.test(name) && statSync(path).size > 1000)
          writeFileSync(`${path}.gz`, gzipSync(readFileSync(path), { level: 9 }));
      }
    },
  };
}

export default defineConfig({
  plugins: [react(), packed()],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  // The tour shows pieces of lab/model.py, which lies outside.
  server: { fs: { allow: ["../.."] }, port: PORT, strictPort: true, proxy: { "/api": api } },
  build: {
    outDir: "../static",
    emptyOutDir: true,
    assetsInlineLimit: 0, // the content policy has no data: addresses
    target: "es2022",
    manifest: true, // tests add up what the first page loads
    chunkSizeWarningLimit: 600, // kB, not compressed
  },
  test: { environment: "jsdom", setupFiles: ["./vitest.setup.ts"], include: ["src/**/*.test.{ts,tsx}"] },
});
