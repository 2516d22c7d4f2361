// The script that the SDK's documentation suggests, for comparison.
//   node peer.js list SELECT|-      counts the rows of the Instances table
//   node peer.js first SELECT       ends at the first row
//   node peer.js purge N            purges the first N finished instances, one after the other
// AzureWebJobsStorage is the account, HUB the hub. Prints the result and the seconds it took, without the
// start of the interpreter.
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const require = createRequire(fileURLToPath(new URL("../tools/package.json", import.meta.url)));
const { TableClient } = require("@azure/data-tables");

const settings = { allowInsecureConnection: true };
const table = (name) => TableClient.fromConnectionString(process.env.AzureWebJobsStorage, name, settings);
const hub = process.env.HUB ?? "ReplayHub";
const instances = table(`${hub}Instances`);
const history = table(`${hub}History`);

async function list(select) {
  const queryOptions = select === "-" ? {} : { select: select.split(",") };
  let n = 0;
  for await (const entity of instances.listEntities({ queryOptions })) if (entity) n++;
  return n;
}

async function first(select) {
  for await (const entity of instances.listEntities({ queryOptions: { select: select.split(",") } }))
    return entity.PartitionKey ?? entity.partitionKey;
  return "";
}

async function purgeOne(id) {
  const rows = [];
  const queryOptions = { filter: `PartitionKey eq '${id}'`, select: ["PartitionKey", "RowKey"] };
  for await (const row of history.listEntities({ queryOptions })) rows.push(row);
  for (let i = 0; i < rows.length; i += 100)
    await history.submitTransaction(
      rows.slice(i, i + 100).map((r) => ["delete", { partitionKey: r.PartitionKey ?? r.partitionKey, rowKey: r.RowKey ?? r.rowKey }]));
  await instances.deleteEntity(id, "");
}

async function purge(n) {
  const ids = [];
  const queryOptions = { filter: "RuntimeStatus eq 'Completed'", select: ["PartitionKey"] };
  for await (const row of instances.listEntities({ queryOptions })) {
    ids.push(row.PartitionKey ?? row.partitionKey);
    if (ids.length === n) break;
  }
  for (const id of ids) await purgeOne(id);
  return ids.length;
}

const verbs = { list, first, purge: (n) => purge(Number(n)) };
const began = performance.now();
const result = await verbs[process.argv[2]](process.argv[3]);
console.log(`${result}\t${(performance.now() - began) / 1000}`);
