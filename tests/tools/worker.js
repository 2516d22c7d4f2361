// worker.js HUB [--mode A|B] [--create] [--seed]: plays the app for a hub in the account named by
// AzureWebJobsStorage until it is ended. --seed starts a set of instances for people to look at.
import { parseArgs } from "node:util";
import { Hub } from "./lib/hub.js";
import { seed } from "./lib/seed.js";
import { Worker } from "./lib/worker.js";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    mode: { type: "string", default: "B" },
    create: { type: "boolean" },
    seed: { type: "boolean" },
    verbose: { type: "boolean" },
  },
});
const hub = new Hub(process.env.AzureWebJobsStorage, positionals[0]);
if (values.create) await hub.create();
const worker = new Worker(hub, { mode: values.mode, log: values.verbose ? console.error : undefined });
if (values.seed) await seed(hub, worker);
for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => worker.stop());
console.log("working");
await worker.run();
