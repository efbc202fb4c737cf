// Writes .env.local where there is none: .env.example with random secrets.
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";

const file = new URL("../.env.local", import.meta.url);
if (!existsSync(file)) {
  const example = readFileSync(new URL("../.env.example", import.meta.url), "utf8");
  const settings = example.replace(/^(NEXTAUTH_SECRET|ADAPTER_SECRET)=$/gm, (_, name) => {
    return `${name}=${randomBytes(32).toString("base64url")}`;
  });
  writeFileSync(file, settings, { mode: 0o600 });
  console.log("Wrote .env.local with secrets of its own. `npm run bonafide` starts Bonafide with the one that both share.");
}
