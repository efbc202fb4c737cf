// Starts Bonafide from this repository for the example: with the adapter's secret, and believing the addresses that the Next.js
// server on this machine says its visitors have.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const environment = {
  BONAFIDE_ADAPTER__SECRET: process.env.BONAFIDE_ADAPTER_SECRET,
  BONAFIDE_PROXIES__TRUSTED: "127.0.0.1/32,::1/128",
};
// npm's own variables are none of Bonafide's, and neither are ours.
const { BONAFIDE_ADAPTER_SECRET: _secret, BONAFIDE_URL: _url, ...inherited } = process.env;
const child = spawn("./run", process.argv.slice(2), { cwd: root, env: { ...inherited, ...environment }, stdio: "inherit" });
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child.kill(signal));
child.on("exit", (code) => process.exit(code ?? 1));
