// As much of queues and blobs as a mount needs: queues take messages and keep count, blobs are not
// there, but for the large outputs of the hub.
import { randomBytes, randomUUID } from "node:crypto";
import { gzipSync } from "node:zlib";
import { Refusal, authenticate } from "./replay-tables.js";

const BIG_BYTES = 2 << 20;

function xml(status, inner, headers = {}) {
  const body = `<?xml version="1.0" encoding="utf-8"?>${inner}`;
  return { status, headers: { "Content-Type": "application/xml", ...headers }, pieces: [Buffer.from(body)] };
}

export function xmlRefusal(e) {
  return xml(e.status, `<Error><Code>${e.code}</Code><Message>${e.message}</Message></Error>`, { "x-ms-error-code": e.code });
}

export class ReplayQueues {
  constructor(hub, partitions) {
    this.queues = new Map();
    this.messages = 0;
    for (let i = 0; i < partitions; i++)
      this.queues.set(`${hub.name.toLowerCase()}-control-${String(i).padStart(2, "0")}`, 0);
    this.queues.set(`${hub.name.toLowerCase()}-workitems`, 0);
  }
  answer(req, url) {
    authenticate(req, url);
    const [, , queue, rest] = url.pathname.split("/");
    const comp = url.searchParams.get("comp");
    if (comp === "list") {
      const prefix = url.searchParams.get("prefix") ?? "";
      const names = [...this.queues.keys()].filter((n) => n.startsWith(prefix)).sort();
      return xml(200, `<EnumerationResults><Queues>${names.map((n) => `<Queue><Name>${n}</Name></Queue>`).join("")}</Queues><NextMarker/></EnumerationResults>`);
    }
    if (!this.queues.has(queue)) throw new Refusal(404, "QueueNotFound", "The specified queue does not exist.");
    if (comp === "metadata")
      return { status: 200, headers: { "x-ms-approximate-messages-count": String(this.queues.get(queue)) }, pieces: [] };
    if (rest === "messages" && req.method === "GET") return xml(200, "<QueueMessagesList/>");
    if (rest !== "messages" || req.method !== "POST") throw new Refusal(501, "NotImplemented", `${req.method} ${url.pathname}`);
    this.queues.set(queue, this.queues.get(queue) + 1);
    this.messages++;
    const now = new Date().toUTCString();
    return xml(201, `<QueueMessagesList><QueueMessage><MessageId>${randomUUID()}</MessageId><InsertionTime>${now}</InsertionTime><ExpirationTime>${now}</ExpirationTime><PopReceipt>AgAAAA==</PopReceipt><TimeNextVisible>${now}</TimeNextVisible></QueueMessage></QueueMessagesList>`);
  }
}

// As compressible as results are: records with the same names and other numbers.
function bigOutput() {
  const lines = [];
  for (let bytes = 0; bytes < BIG_BYTES; bytes += 100)
    lines.push({ line: lines.length, product: `P-${(lines.length * 7919) % 10007}`, quantity: lines.length % 17, note: randomBytes(9).toString("base64") });
  return lines;
}

export class ReplayBlobs {
  constructor(hub) {
    this.hub = hub;
    this.container = `${hub.name.toLowerCase()}-largemessages`;
    if (hub.big) this.big = gzipSync(JSON.stringify(bigOutput()));
  }
  answer(req, url) {
    authenticate(req, url);
    const [, , container, ...name] = decodeURIComponent(url.pathname).split("/");
    if (!this.hub.big || container !== this.container)
      throw new Refusal(404, "ContainerNotFound", "The specified container does not exist.");
    if (url.searchParams.get("comp") === "list")
      return xml(200, "<EnumerationResults><Blobs/><NextMarker/></EnumerationResults>");
    if (req.method === "DELETE") return { status: 202, headers: {}, pieces: [] };
    if (!name.at(-1).endsWith("-Result.json.gz")) throw new Refusal(404, "BlobNotFound", "The specified blob does not exist.");
    return { status: 200, headers: { "Content-Type": "application/octet-stream", ETag: '"0x1"' }, pieces: req.method === "HEAD" ? [] : [this.big] };
  }
}
