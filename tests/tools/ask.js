// ask.js HUB QUESTION [ARGUMENT...]: looks at (or changes) a hub behind the mount's back, through the
// SDK, in the account named by AzureWebJobsStorage. For shell tests.
import { Hub, escapeKey } from "./lib/hub.js";
import { start } from "./lib/seed.js";
import { Worker } from "./lib/worker.js";

const [name, question, ...args] = process.argv.slice(2);
const hub = new Hub(process.env.AzureWebJobsStorage, name);

async function count(iterator) {
  let n = 0;
  for await (const _ of iterator) n++;
  return n;
}

const questions = {
  create: () => hub.create({ manager: args[0] ?? "table" }),
  // One JSON object a line: what every waiting message says.
  messages: async () => {
    for (const { queue, json } of await hub.messages())
      console.log(JSON.stringify({ queue, id: json.TaskMessage?.OrchestrationInstance.InstanceId, blob: json.CompressedBlobName, ...json.TaskMessage?.Event }));
  },
  count: async () => console.log(await hub.messageCount()),
  clear: async () => {
    for (let n = 0; n < hub.partitions; n++) await hub.queues.getQueueClient(hub.controlName(n)).clearMessages();
  },
  row: async () => console.log(JSON.stringify(await hub.row(args[0]))),
  history: async () =>
    console.log(
      await count(hub.history.listEntities({ queryOptions: { filter: `PartitionKey eq '${escapeKey(args[0]).replaceAll("'", "''")}'` } })),
    ),
  rows: async () => console.log(await count(hub.instances.listEntities())),
  blobs: async () => {
    if (!(await hub.payloads.exists())) return;
    for await (const b of hub.payloads.listBlobsFlat({ prefix: args[0] ?? "" })) console.log(b.name);
  },
  payload: async () => process.stdout.write(await hub.getPayload(args[0])),
  "put-payload": () => hub.putPayload(args[0], args[1]),
  status: () =>
    hub.instances.updateEntity({ partitionKey: escapeKey(args[0]), rowKey: "", RuntimeStatus: args[1] }, "Merge"),
  columns: () =>
    hub.instances.upsertEntity({ partitionKey: escapeKey(args[0]), rowKey: "", ...JSON.parse(args[1]) }, "Merge"),
  // Everything in the account, one name a line.
  resources: async () => {
    for await (const t of hub.tables.listTables()) console.log(`table ${t.name}`);
    for await (const q of hub.queues.listQueues()) console.log(`queue ${q.name}`);
    for await (const c of hub.blobs.listContainers()) console.log(`container ${c.name}`);
  },
  // PARTITION WORKER SECONDS [NEXT]: a row of the table manager, or "" for nobody.
  own: async () => {
    const [n, worker, seconds, next] = args;
    const at = (s) => ({ type: "DateTime", value: new Date(Date.now() + s * 1000).toISOString() });
    await hub.partitionTable.upsertEntity(
      {
        partitionKey: "",
        rowKey: hub.controlName(Number(n)),
        IsDraining: false,
        ...(worker && { CurrentOwner: worker, LastRenewal: at(0), ExpiresAt: at(Number(seconds)) }),
        ...(next && { NextOwner: next }),
      },
      "Replace",
    );
  },
  // BLOB WORKER: leased by a blob manager; without a worker the lease is broken.
  lease: async () => {
    const blob = hub.leases.getBlockBlobClient(args[0]);
    if (!args[1]) return void (await blob.getBlobLeaseClient().breakLease(0));
    const text = JSON.stringify({ PartitionId: args[0].split("/")[1], Owner: args[1], Token: null, Epoch: 1 });
    await blob.upload(text, Buffer.byteLength(text));
    await blob.getBlobLeaseClient().acquireLease(60);
  },
  // on|off: an app holds the hub.
  "app-lease": async () => {
    const container = hub.blobs.getContainerClient(`${hub.lower}-applease`);
    if (args[0] === "off") return void (await container.getBlobLeaseClient().breakLease(0));
    const id = "5018c2a8-0000-0000-0000-000000000000";
    const text = JSON.stringify({ OwnerId: id, DesiredSwapId: null });
    await container.getBlockBlobClient(`${hub.lower}-appleaseinfo`).upload(text, Buffer.byteLength(text));
    await container.getBlobLeaseClient(id).acquireLease(60);
  },
  // As far as a deletion gets that is killed in the middle.
  "drop-tables": async () => {
    await hub.instances.deleteTable();
    await hub.history.deleteTable();
  },
  "delete-row": () => hub.instances.deleteEntity(escapeKey(args[0]), ""),
  start: () => start(hub, new Worker(hub), args[0], args[1], args[2] === undefined ? undefined : JSON.parse(args[2])),
};

if (!questions[question]) throw new Error(`unknown question ${question}; known: ${Object.keys(questions).join(", ")}`);
await questions[question]();
