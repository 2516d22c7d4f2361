// azurite.js [--pid-file F] [--settings-file F] [--location DIR] [--ports B,Q,T]
// Runs Azurite until it is ended; writes its connection string, as shell text, to the env file (mode
// 0600, complete when it appears) so that scripts need not parse anything.
import fs from "node:fs";
import { parseArgs } from "node:util";
import { startAzurite } from "./lib/azurite.js";

const { values } = parseArgs({
  options: {
    "pid-file": { type: "string" },
    "settings-file": { type: "string" },
    location: { type: "string" },
    ports: { type: "string" },
  },
});
const [blob, queue, table] = (values.ports ?? "0,0,0").split(",").map(Number);
const azurite = await startAzurite({ location: values.location, ports: { blob, queue, table } });
if (values["pid-file"]) fs.writeFileSync(values["pid-file"], `${process.pid}\n`);
if (values["settings-file"]) {
  const temporary = `${values["settings-file"]}.new`;
  fs.writeFileSync(
    temporary,
    `AzureWebJobsStorage='${azurite.connection}'\nexport AzureWebJobsStorage\n`,
    { mode: 0o600 },
  );
  fs.renameSync(temporary, values["settings-file"]);
} else console.log(azurite.connection);

for (const signal of ["SIGTERM", "SIGINT"])
  process.on(signal, async () => {
    await azurite.stop();
    process.exit(0);
  });
azurite.child.once("exit", (code) => process.exit(code ?? 1));
