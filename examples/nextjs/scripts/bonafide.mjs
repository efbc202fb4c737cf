// Starts Bonafide from this repository for the example: with the adapter's secret, and believing the addresses that the Next.js
// server on this machine says its visitors have.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const env = {
  ...process.env,
  BONAFIDE_ADAPTER__SECRET: process.env.ADAPTER_SECRET,
  BONAFIDE_PROXIES__TRUSTED: "127.0.0.1/32,::1/128",
};
const child = spawn("./run", process.argv.slice(2), { cwd: root, env, stdio: "inherit" });
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child.kill(signal));
child.on("exit", (code) => process.exit(code ?? 1));
