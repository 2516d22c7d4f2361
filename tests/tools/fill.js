// fill.js HUB COUNT [--history N] [--statuses S,S]: creates a hub with generated instances in the
// account named by AzureWebJobsStorage. Same seed, same hub.
import { parseArgs } from "node:util";
import { insertAll } from "./lib/bulk.js";
import { Hub } from "./lib/hub.js";

const statuses = ["Completed", "Completed", "Completed", "Completed", "Completed", "Running", "Failed", "Completed"];
const orchestrators = ["OrderFlow", "Invoice", "Cleanup", "Report"];
const base = Date.UTC(2026, 10, 1);

export function instanceRow(i, pick = statuses) {
  const status = pick[i % pick.length];
  const created = new Date(base + i * 60000).toISOString();
  const updated = new Date(base + i * 60000 + 5000).toISOString();
  const finished = status === "Completed" || status === "Failed" || status === "Terminated";
  return {
    partitionKey: `order-${String(i).padStart(6, "0")}`,
    rowKey: "",
    Name: orchestrators[i % orchestrators.length],
    Version: "",
    Input: JSON.stringify({ order: i }),
    CustomStatus: "null",
    RuntimeStatus: status,
    CreatedTime: { type: "DateTime", value: created },
    LastUpdatedTime: { type: "DateTime", value: updated },
    ExecutionId: i.toString(16).padStart(32, "0"),
    Generation: 0,
    Tags: "null",
    ...(finished && {
      CompletedTime: { type: "DateTime", value: updated },
      Output: status === "Completed" ? JSON.stringify({ done: i }) : `ERR-${i % 100}: no stock`,
    }),
  };
}

// Finished instances get a minimal genuine history; running ones an open timer.
export function historyRows(i, row, extra) {
  const pk = row.partitionKey;
  const time = { type: "DateTime", value: row.CreatedTime.value };
  const common = { ExecutionId: row.ExecutionId, IsPlayed: false, EventId: -1, _Timestamp: time };
  const rows = [
    { EventType: "OrchestratorStarted" },
    { EventType: "ExecutionStarted", Name: row.Name, Version: "", Input: row.Input, Generation: 0 },
  ];
  for (let n = 0; n < extra; n++) rows.push({ EventType: "TaskScheduled", EventId: n, Name: "Step", Version: "" });
  for (let n = 0; n < extra; n++) rows.push({ EventType: "TaskCompleted", TaskScheduledId: n, Result: "true" });
  if (row.Output)
    rows.push({
      EventType: "ExecutionCompleted",
      EventId: extra,
      OrchestrationStatus: row.RuntimeStatus,
      Result: row.Output,
    });
  rows.push({ EventType: "OrchestratorCompleted" });
  return [
    ...rows.map((r, n) => ({
      partitionKey: pk,
      rowKey: n.toString(16).toUpperCase().padStart(16, "0"),
      ...common,
      ...r,
    })),
    {
      partitionKey: pk,
      rowKey: "sentinel",
      ExecutionId: row.ExecutionId,
      IsCheckpointComplete: true,
      CheckpointCompletedTimestamp: time,
    },
  ];
}

export async function fill(connection, name, count, { history = 0, pick = statuses } = {}) {
  const hub = new Hub(connection, name);
  await hub.create();
  const rows = Array.from({ length: count }, (_, i) => instanceRow(i, pick));
  await insertAll(connection, `${name}Instances`, rows.map((r) => ({ ...r, TaskHubName: name })));
  if (history > 0) await insertAll(connection, `${name}History`, rows.flatMap((r, i) => historyRows(i, r, history)));
  return hub;
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { history: { type: "string" }, statuses: { type: "string" } },
  });
  await fill(process.env.AzureWebJobsStorage, positionals[0], Number(positionals[1]), {
    history: Number(values.history ?? 0),
    ...(values.statuses && { pick: values.statuses.split(",") }),
  });
}
