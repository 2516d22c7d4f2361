// A made-up hub: the rows of its Instances and History tables, each from the seed and its number alone,
// so that a million of them need no file. Rows are in key order by construction.

const HISTORY_TYPES = ["TaskScheduled", "TaskCompleted", "TimerCreated", "TimerFired", "EventRaised"];
const NAMES = ["OrderFlow", "InvoiceFlow", "NightlyReport", "Onboarding"];
// All times lie in the past of any machine that runs this.
const FIRST_MS = Date.UTC(2024, 2, 1);
const STEP_MS = 37;
const FULL_BYTES = 600; // of a row with input and output

function mix(a, b) {
  let h = Math.imul(a ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(b + 0x7f4a7c15, 0xc2b2ae35);
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
  h = Math.imul(h ^ (h >>> 12), 0x297a2d39);
  return (h ^ (h >>> 15)) >>> 0;
}

const hex8 = (n) => n.toString(16).padStart(8, "0");

const ids = {
  // 32 hex digits, spread evenly; the first eight rise with the number.
  rand: (hub, i) => {
    const step = 2 ** 32 / hub.count;
    const within = mix(hub.seed, i) / 2 ** 32;
    return (
      hex8(Math.min(2 ** 32 - 1, Math.floor((i + within) * step))) +
      hex8(mix(hub.seed + 1, i)) + hex8(mix(hub.seed + 2, i)) + hex8(mix(hub.seed + 3, i))
    );
  },
  // One long prefix and a counter.
  prefix: (hub, i) => `order-2026-${String(i).padStart(8, "0")}`,
  // Begun one after the other, 1 to 170 ms apart.
  time: (hub, i) => {
    const at = Date.UTC(2026, 10, 24) + i * 86 + (mix(hub.seed, i) % 85);
    return `${new Date(at).toISOString().slice(0, 23)}-${hex8(mix(hub.seed + 1, i))}`;
  },
};

// A DateTime as the service prints it: none, three or seven digits.
export function printTime(ms, digits) {
  const text = new Date(ms).toISOString();
  if (digits === 0) return `${text.slice(0, 19)}Z`;
  return digits === 3 ? text : `${text.slice(0, 23)}0000Z`;
}

export class ReplayHub {
  constructor({ hub = "ReplayHub", ids: kind = "rand", count = 1000, history = 0, seed = 1, big = 0 }) {
    Object.assign(this, { name: hub, count, history, seed, big });
    if (!ids[kind]) throw new Error(`no such ids: ${kind}`);
    // Searches ask for the same few again and again.
    const known = new Array(count);
    this.id = (i) => (known[i] ??= ids[kind](this, i));
  }

  status(i) {
    const h = mix(this.seed + 7, i) % 100;
    if (i < this.big || h >= 12) return "Completed";
    return h < 4 ? "Failed" : h < 8 ? "Running" : "Pending";
  }

  stampMs(i) {
    return FIRST_MS + i * STEP_MS + 7000 + (mix(this.seed + 5, i) % 1000);
  }

  // The first instance whose Timestamp can be that late.
  firstSince(ms) {
    return Math.max(0, Math.floor((ms - FIRST_MS - 8000) / STEP_MS));
  }

  // One row of the Instances table.
  instance(i) {
    const id = this.id(i);
    const status = this.status(i);
    const finished = status === "Completed" || status === "Failed";
    const stamp = this.stampMs(i);
    const created = FIRST_MS + i * STEP_MS;
    const row = {
      PartitionKey: id,
      RowKey: "",
      Timestamp: printTime(stamp, 7),
      CreatedTime: printTime(created, [0, 3, 7][mix(this.seed + 4, i) % 3]),
      ExecutionId: hex8(mix(this.seed + 8, i)) + hex8(mix(this.seed + 9, i)),
      Input: "",
      LastUpdatedTime: printTime(stamp - 500, 7),
      Name: NAMES[mix(this.seed + 6, i) % NAMES.length],
      RuntimeStatus: status,
      TaskHubName: this.name,
    };
    if (finished) {
      row.CompletedTime = row.LastUpdatedTime;
      row.Output = status === "Failed" ? `MARK: task Reserve failed for order ${i}` : `{"total":${i}}`;
    }
    if (i < this.big) row.Output = this.bigBlob(i);
    if (status === "Running") row.CustomStatus = `{"step":${i % 9}}`;
    // The input makes the row as long as rows are.
    const room = FULL_BYTES - Buffer.byteLength(JSON.stringify(row)) - 24;
    row.Input = `{"order":${i},"pad":"${"x".repeat(Math.max(0, room))}"}`;
    return row;
  }

  // Where the output of one of the first instances lies: 2 MB in a blob.
  bigBlob(i) {
    return `https://replay/${this.name.toLowerCase()}-largemessages/${this.id(i)}/history-000000000000000${i % 10}-Result.json.gz`;
  }

  eventKey(k) {
    return k === this.history - 1 ? "sentinel" : k.toString(16).padStart(16, "0");
  }

  // Row k of the history of instance i; the last one is the sentinel.
  event(i, k) {
    const at = FIRST_MS + i * STEP_MS + k * 10;
    const last = this.history - 1;
    const row = {
      PartitionKey: this.id(i),
      RowKey: this.eventKey(k),
      Timestamp: printTime(at, 7),
      ExecutionId: hex8(mix(this.seed + 8, i)) + hex8(mix(this.seed + 9, i)),
    };
    if (k === last) return { ...row, IsCheckpointComplete: true };
    row._Timestamp = printTime(at, 7);
    row.EventId = -1;
    row.IsPlayed = true;
    if (k === 0)
      return { ...row, EventType: "ExecutionStarted", Name: NAMES[mix(this.seed + 6, i) % 4], Input: `{"order":${i}}` };
    if (k === last - 1 && this.status(i) === "Completed")
      return { ...row, EventType: "ExecutionCompleted", OrchestrationStatus: "Completed", Result: `{"total":${i}}` };
    const type = HISTORY_TYPES[k % HISTORY_TYPES.length];
    row.EventType = type;
    if (type === "TaskScheduled") Object.assign(row, { EventId: k, Name: "Reserve", Input: `{"line":${k}}` });
    if (type === "TaskCompleted") Object.assign(row, { TaskScheduledId: k - 1, Result: `{"line":${k}}` });
    if (type === "TimerCreated") Object.assign(row, { EventId: k, FireAt: printTime(at + 1000, 7) });
    if (type === "TimerFired") Object.assign(row, { TimerId: k - 1, FireAt: printTime(at + 1000, 7) });
    if (type === "EventRaised") Object.assign(row, { Name: "Approve", Input: `{"ok":true}` });
    return row;
  }
}
