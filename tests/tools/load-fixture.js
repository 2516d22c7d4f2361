// load-fixture.js DIR LINE STAGE: loads one recorded stage of the genuine hub into the account named
// by AzureWebJobsStorage: tables (DateTime columns typed), blobs, queue messages.
// DIR holds LINE/STAGE/..., as tests/data/genuine-hub does.
import fs from "node:fs";
import path from "node:path";
import { TableClient } from "@azure/data-tables";
import { QueueServiceClient } from "@azure/storage-queue";
import { BlobServiceClient } from "@azure/storage-blob";
import { insertAll } from "./lib/bulk.js";

const dateTimes = new Set([
  "CreatedTime", "LastUpdatedTime", "CompletedTime", "ScheduledStartTime", "CheckpointCompletedTimestamp",
  "_Timestamp", "FireAt", "OwnedSince", "LastRenewal", "ExpiresAt",
]);

function entity(row) {
  const e = { partitionKey: row.PartitionKey, rowKey: row.RowKey };
  for (const [name, value] of Object.entries(row)) {
    if (name === "PartitionKey" || name === "RowKey" || name === "Timestamp" || value === null) continue;
    e[name] = dateTimes.has(name) ? { type: "DateTime", value } : value;
  }
  return e;
}

async function loadTable(connection, file) {
  const name = path.basename(file).split(".")[0];
  const table = TableClient.fromConnectionString(connection, name, { allowInsecureConnection: true });
  await table.createTable();
  const rows = JSON.parse(fs.readFileSync(file, "utf8")).value;
  await insertAll(connection, name, rows.map(entity));
  return rows.length;
}

async function loadBlobs(connection, dir) {
  const index = path.join(dir, "blobs.index.jsonl");
  if (!fs.existsSync(index)) return 0;
  const service = BlobServiceClient.fromConnectionString(connection);
  let count = 0;
  for (const line of fs.readFileSync(index, "utf8").split("\n").filter(Boolean)) {
    const { container, name, file } = JSON.parse(line);
    const client = service.getContainerClient(container);
    await client.createIfNotExists();
    if (name === null) continue;
    const bytes = fs.readFileSync(path.join(dir, "blobs", file));
    await client.getBlockBlobClient(name).upload(bytes, bytes.length, {
      blobHTTPHeaders: { blobContentType: "application/octet-stream" },
    });
    count++;
  }
  return count;
}

async function loadQueues(connection, dir, hub) {
  const service = QueueServiceClient.fromConnectionString(connection);
  let count = 0;
  for (let n = 0; n < 4; n++) {
    const name = `${hub.toLowerCase()}-control-0${n}`;
    const queue = service.getQueueClient(name);
    await queue.create();
    const file = path.join(dir, `${name}.messages.jsonl`);
    if (!fs.existsSync(file)) continue;
    for (const line of fs.readFileSync(file, "utf8").split("\n").filter(Boolean)) {
      await queue.sendMessage(JSON.parse(line).MessageText, { messageTimeToLive: -1 });
      count++;
    }
  }
  await service.getQueueClient(`${hub.toLowerCase()}-workitems`).create();
  return count;
}

export async function loadStage(connection, dir, line, stage) {
  const at = path.join(dir, line, stage);
  const tables = fs.readdirSync(at).filter((f) => f.endsWith(".nometadata.json"));
  const hub = tables.find((f) => f.includes("Instances.")).split("Instances.")[0];
  const done = { hub, rows: 0 };
  for (const f of tables) done.rows += await loadTable(connection, path.join(at, f));
  // A hub without history rows at this moment has the table all the same.
  for (const suffix of ["History", "Instances"])
    if (!tables.some((f) => f.startsWith(`${hub}${suffix}.`)))
      await TableClient.fromConnectionString(connection, `${hub}${suffix}`, {
        allowInsecureConnection: true,
      }).createTable();
  done.blobs = await loadBlobs(connection, at);
  done.messages = await loadQueues(connection, at, hub);
  return done;
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const [dir, line, stage] = process.argv.slice(2);
  const done = await loadStage(process.env.AzureWebJobsStorage, dir, line, stage);
  console.log(JSON.stringify(done));
}
