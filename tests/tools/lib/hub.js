// A task hub through Microsoft's own SDK packages: the independent other side of the tests.
// Layout and order of creation: storage messages 5.1; names: 1.1.
import { TableClient, TableServiceClient } from "@azure/data-tables";
import { QueueServiceClient } from "@azure/storage-queue";
import { BlobServiceClient } from "@azure/storage-blob";
import zlib from "node:zlib";

const insecure = { allowInsecureConnection: true };

export function fnv1a(text) {
  let h = 2166136261;
  for (const byte of Buffer.from(text, "utf8")) h = Math.imul(h ^ byte, 16777619) >>> 0;
  return h >>> 0;
}

// Storage tables 2.1, on UTF-16 code units.
export function escapeKey(id) {
  let out = "";
  for (const c of id) {
    const at = "^/\\#?".indexOf(c);
    const u = c.charCodeAt(0);
    if (at >= 0) out += "^" + "^0123"[at];
    else if (u < 0x20 || (u >= 0x7f && u <= 0x9f)) out += "^" + String.fromCharCode(u + 0xc0);
    else out += c;
  }
  return out;
}

export function unescapeKey(key) {
  let out = "";
  for (let i = 0; i < key.length; i++) {
    if (key[i] !== "^" || i + 1 === key.length) {
      out += key[i];
      continue;
    }
    const c = key[++i];
    const at = "^0123".indexOf(c);
    out += at >= 0 ? "^/\\#?"[at] : c.charCodeAt(0) < 0xc0 ? c : String.fromCharCode(c.charCodeAt(0) - 0xc0);
  }
  return out;
}

export class Hub {
  constructor(connection, name, partitions = 4) {
    this.connection = connection;
    this.name = name;
    this.lower = name.toLowerCase();
    this.partitions = partitions;
    this.instances = TableClient.fromConnectionString(connection, `${name}Instances`, insecure);
    this.history = TableClient.fromConnectionString(connection, `${name}History`, insecure);
    this.partitionTable = TableClient.fromConnectionString(connection, `${name}Partitions`, insecure);
    this.tables = TableServiceClient.fromConnectionString(connection, insecure);
    this.queues = QueueServiceClient.fromConnectionString(connection);
    this.blobs = BlobServiceClient.fromConnectionString(connection);
    this.payloads = this.blobs.getContainerClient(`${this.lower}-largemessages`);
    this.leases = this.blobs.getContainerClient(`${this.lower}-leases`);
  }

  controlName(n) {
    return `${this.lower}-control-${String(n).padStart(2, "0")}`;
  }

  partitionOf(id) {
    return fnv1a(id) % this.partitions;
  }

  controlQueue(id) {
    return this.queues.getQueueClient(this.controlName(this.partitionOf(id)));
  }

  // manager: "table" (2.x) or "safe" (1.x): where the partition count is written down.
  async create({ manager = "table" } = {}) {
    const lease = this.blobs.getContainerClient(`${this.lower}-applease`);
    await lease.createIfNotExists();
    await lease.getBlockBlobClient(`${this.lower}-appleaseinfo`).upload("{}", 2);
    if (manager === "safe") {
      await this.leases.createIfNotExists();
      const info = JSON.stringify({
        TaskHubName: this.name,
        CreatedAt: new Date().toISOString(),
        PartitionCount: this.partitions,
      });
      await this.leases.getBlockBlobClient("taskhub.json").upload(info, Buffer.byteLength(info));
    } else await this.partitionTable.createTable();
    await this.history.createTable();
    await this.instances.createTable();
    await this.queues.getQueueClient(`${this.lower}-workitems`).create();
    for (let n = 0; n < this.partitions; n++) {
      const queue = this.controlName(n);
      await this.queues.getQueueClient(queue).create();
      if (manager === "safe") {
        for (const kind of ["intent", "ownership"]) {
          const text = JSON.stringify({ PartitionId: queue, Owner: null, Token: null, Epoch: 0 });
          await this.leases.getBlockBlobClient(`${kind}/${queue}`).upload(text, Buffer.byteLength(text));
        }
      } else
        await this.partitionTable.upsertEntity(
          { partitionKey: "", rowKey: queue, IsDraining: false },
          "Replace",
        );
    }
  }

  async putPayload(name, text) {
    await this.payloads.createIfNotExists();
    const bytes = zlib.gzipSync(Buffer.from(text, "utf8"));
    await this.payloads.getBlockBlobClient(name).upload(bytes, bytes.length, {
      blobHTTPHeaders: { blobContentType: "application/octet-stream" },
    });
  }

  async getPayload(name) {
    const bytes = await this.payloads.getBlockBlobClient(name).downloadToBuffer();
    return zlib.gunzipSync(bytes).toString("utf8");
  }

  async row(id) {
    try {
      return await this.instances.getEntity(escapeKey(id), "");
    } catch (e) {
      if (e.statusCode === 404) return null;
      throw e;
    }
  }

  // Every message that can be seen now, decoded, without taking it: [{ queue, text, json }].
  async messages() {
    const all = [];
    for (let n = 0; n < this.partitions; n++) {
      const queue = this.queues.getQueueClient(this.controlName(n));
      const peeked = await queue.peekMessages({ numberOfMessages: 32 });
      for (const m of peeked.peekedMessageItems) all.push({ queue: n, text: m.messageText, json: decodeMessage(m.messageText) });
    }
    return all;
  }

  async messageCount() {
    let count = 0;
    for (let n = 0; n < this.partitions; n++) {
      const p = await this.queues.getQueueClient(this.controlName(n)).getProperties();
      count += p.approximateMessagesCount;
    }
    return count;
  }
}

// Storage messages 3.6.
export function decodeMessage(text) {
  const trimmed = text.trimStart();
  return JSON.parse(trimmed.startsWith("{") ? trimmed : Buffer.from(text, "base64").toString("utf8"));
}
