// What the files of an instance must say, worked out from recorded rows by an independent reading of the
// mount layout (1-3) and the storage tables (4.5, 5.6). Deliberately shares nothing with the product.
import fs from "node:fs";
import path from "node:path";
import zlib from "node:zlib";
import { unescapeKey } from "./hub.js";

const finished = new Set(["Completed", "Failed", "Terminated", "Canceled"]);

export function fileName(id) {
  let out = "";
  for (const [i, c] of [...id].entries()) {
    const code = c.codePointAt(0);
    if (c === "/" || c === "%" || code < 0x20 || code === 0x7f || (c === "." && i === 0))
      out += `%${code.toString(16).toUpperCase().padStart(2, "0")}`;
    else out += c;
  }
  return out || "%";
}

export class Recorded {
  constructor(dir, line, stage) {
    const read = (s, table) => {
      const at = path.join(dir, line, s);
      const file = fs.readdirSync(at).find((f) => f.endsWith(`${table}.nometadata.json`));
      return file ? JSON.parse(fs.readFileSync(path.join(at, file), "utf8")).value : [];
    };
    this.rows = read(stage, "Instances");
    this.historyRows = read(stage, "History");
    this.blobs = new Map();
    const index = path.join(dir, line, stage, "blobs.index.jsonl");
    if (fs.existsSync(index))
      for (const text of fs.readFileSync(index, "utf8").split("\n").filter(Boolean)) {
        const { container, name, file } = JSON.parse(text);
        if (container.endsWith("-largemessages") && name)
          this.blobs.set(name, fs.readFileSync(path.join(dir, line, stage, "blobs", file)));
      }
    this.hub = fs.readdirSync(path.join(dir, line, stage)).find((f) => f.includes("Instances.")).split("Instances.")[0];
  }

  instances() {
    return this.rows.filter((r) => !r.PartitionKey.startsWith("@"));
  }

  payload(name) {
    const bytes = this.blobs.get(name);
    if (!bytes) return undefined;
    const text = zlib.gunzipSync(bytes).toString("utf8");
    if (/message-[^/]*-ExecutionStarted\.json\.gz$/i.test(name)) return JSON.parse(text).TaskMessage.Event.Input ?? null;
    return text;
  }

  cell(row, column) {
    const value = row[column];
    const companion = row[`${column}BlobName`];
    if ((value === undefined || value === "") && companion) return this.payload(companion);
    if (value && (column === "Input" || column === "Output")) {
      const at = value.match(/^https?:\/\/[^/?#@]+(\/[^?#]+)$/)?.[1];
      const mark = `/${this.hub.toLowerCase()}-largemessages/`;
      if (at?.includes(mark) && at.endsWith(".json.gz")) {
        const text = this.payload(decodeURIComponent(at.slice(at.indexOf(mark) + mark.length)));
        return text === undefined ? value : text;
      }
    }
    return value ?? null;
  }

  historyCell(row, column) {
    const companion = row[`${column}BlobName`];
    return companion ? (this.payload(companion) ?? null) : (row[column] ?? null);
  }

  // Rows of the current execution; null = the blobs it needs were not recorded at this stage.
  events(row) {
    const all = this.historyRows.filter((r) => r.PartitionKey === row.PartitionKey);
    const sentinel = all.find((r) => r.RowKey === "sentinel");
    if (!sentinel || (row.RuntimeStatus === "Pending" && row.ExecutionId !== sentinel.ExecutionId)) return [];
    const out = [];
    for (const r of all) {
      if (r.RowKey === "sentinel" || r.ExecutionId !== sentinel.ExecutionId) break;
      out.push(r);
    }
    return out;
  }

  // name -> exact text
  files(row) {
    const done = finished.has(row.RuntimeStatus);
    const line = (key, value) => (value === undefined || value === "" ? "" : `${key}:\t${value}\n`);
    const files = {
      status:
        line("InstanceId", escapeText(unescapeKey(row.PartitionKey))) +
        line("Name", escapeText(row.Name)) +
        line("Version", row.Version) +
        line("RuntimeStatus", row.RuntimeStatus) +
        line("CreatedTime", seven(row.CreatedTime)) +
        line("LastUpdatedTime", seven(row.LastUpdatedTime)) +
        line("ScheduledStartTime", seven(row.ScheduledStartTime)) +
        (done ? line("CompletedTime", seven(row.CompletedTime)) : ""),
      input: ended(this.cell(row, "Input")),
      output: done ? ended(this.cell(row, "Output")) : "",
      "custom-status": row.CustomStatus === "null" ? "" : ended(row.CustomStatus ?? null),
    };
    const events = this.events(row);
    files.parent = ended(parentOf(events) === null ? null : fileName(parentOf(events)));
    files.children = events
      .filter((e) => e.EventType === "SubOrchestrationInstanceCreated")
      .map((e) => `${fileName(e.InstanceId)}\n`)
      .join("");
    return files;
  }

  // The first four columns of every line of the history, and how many lines there are.
  historyColumns(row) {
    const events = this.events(row);
    const names = new Map();
    for (const e of events)
      if (["TaskScheduled", "SubOrchestrationInstanceCreated"].includes(e.EventType)) names.set(e.EventId, e.Name);
    const isTask = /^(TaskScheduled|SubOrchestrationInstanceCreated|TimerCreated|EventSent)$/;
    const completes = /^(Task|SubOrchestrationInstance)(Completed|Failed)$/;
    return events
      .filter((e) => !/^Orchestrator(Started|Completed)$/.test(e.EventType))
      .map((e) => {
        const id = e.TaskScheduledId ?? e.TimerId ?? (isTask.test(e.EventType) ? e.EventId : "");
        const name = completes.test(e.EventType) ? (names.get(e.TaskScheduledId) ?? "") : (e.Name ?? "");
        return [seven(e._Timestamp), e.EventType, escapeText(name), String(id)].join("\t");
      });
  }
}

function parentOf(events) {
  const start = events.find((e) => e.EventType === "ExecutionStarted");
  if (!start?.ParentInstance || start.ParentInstance === "null") return null;
  return JSON.parse(start.ParentInstance).OrchestrationInstance.InstanceId;
}

function seven(time) {
  if (!time) return undefined;
  const [, at, fraction = ""] = time.match(/^(.*?)(?:\.(\d+))?Z$/);
  return `${at}.${fraction.padEnd(7, "0").slice(0, 7)}Z`;
}

function escapeText(text) {
  return text?.replace(/[\u0000-\u001f\u007f\\]/g, (c) => (c === "\u007f" ? "\\u007f" : JSON.stringify(c).slice(1, -1)));
}

function ended(text) {
  return text === null || text === undefined || text === "" ? "" : text.endsWith("\n") ? text : `${text}\n`;
}
