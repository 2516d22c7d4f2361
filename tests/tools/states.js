// states.js HUB: answers questions about a hub in the account named by AzureWebJobsStorage,
// one JSON array a line, with one JSON value a line:
//   ["put", STATE, ID]   an instance in that state (row, sentinel and history); replaces an older one
//   ["look", ID]         { row, history, messages, rows }; messages are taken out of all queues
import crypto from "node:crypto";
import readline from "node:readline";
import { Hub, decodeMessage, escapeKey } from "./lib/hub.js";

const hub = new Hub(process.env.AzureWebJobsStorage, process.argv[2]);
const guid = () => crypto.randomUUID().replaceAll("-", "");
const at = (seconds) => ({ type: "DateTime", value: new Date(Date.now() + seconds * 1000).toISOString() });
const quoted = (id) => `'${escapeKey(id).replaceAll("'", "''")}'`;

// What an execution leaves behind (storage tables 5): one episode with a failed activity, still open.
const open = () => [
  { EventType: "OrchestratorStarted", EventId: -1 },
  { EventType: "ExecutionStarted", EventId: -1, Name: "Flow", Version: "", Input: "{\"a\":1}" },
  { EventType: "TaskScheduled", EventId: 0, Name: "Step" },
  { EventType: "OrchestratorCompleted", EventId: -1 },
];
const failed = () => [
  ...open(),
  { EventType: "OrchestratorStarted", EventId: -1 },
  { EventType: "TaskFailed", EventId: -1, TaskScheduledId: 0, Reason: "no stock" },
  { EventType: "ExecutionCompleted", EventId: 1, OrchestrationStatus: "Failed", Result: "no stock" },
  { EventType: "OrchestratorCompleted", EventId: -1 },
];
const ended = (status) => [
  ...open(),
  { EventType: "OrchestratorStarted", EventId: -1 },
  { EventType: "TaskCompleted", EventId: -1, TaskScheduledId: 0, Result: "1" },
  { EventType: "ExecutionCompleted", EventId: 1, OrchestrationStatus: status, Result: "1" },
  { EventType: "OrchestratorCompleted", EventId: -1 },
];
// A rewind makes GenericEvents of what failed (storage messages 4.7).
const rewound = () =>
  failed().map((e) =>
    e.EventType === "TaskScheduled" || e.EventType === "TaskFailed" || e.EventType === "ExecutionCompleted"
      ? { ...e, EventType: "GenericEvent", Reason: `Rewound: ${e.EventType}` }
      : e,
  );

const finished = (RuntimeStatus, events) => ({
  columns: { RuntimeStatus, CompletedTime: at(-10), Output: "1" },
  events,
});
const pending = (columns, events, more) => ({ columns: { RuntimeStatus: "Pending", ...columns }, events, ...more });
const states = {
  running: () => ({ columns: { RuntimeStatus: "Running" }, events: open() }),
  suspended: () => ({ columns: { RuntimeStatus: "Suspended", Output: "hold" }, events: open() }),
  "continued-as-new": () => ({ columns: { RuntimeStatus: "ContinuedAsNew" }, events: open() }),
  waiting: () => pending({}, []),
  scheduled: () => pending({ ScheduledStartTime: at(86400) }, []),
  // The history is still that of the execution before.
  "started-again": () => pending({ Generation: 1 }, ended("Completed"), { older: true }),
  rewound: () => pending({ CompletedTime: at(-10), Output: "no stock" }, rewound()),
  // The history says that it failed, the row was not brought up to date.
  stale: () => pending({}, failed()),
  completed: () => finished("Completed", ended("Completed")),
  failed: () => finished("Failed", failed()),
  terminated: () => finished("Terminated", ended("Terminated")),
  canceled: () => finished("Canceled", ended("Canceled")),
  unknown: () => ({ columns: { RuntimeStatus: "Paused" }, events: open() }),
};

async function historyOf(id) {
  const rows = [];
  const filter = `PartitionKey eq ${quoted(id)}`;
  for await (const row of hub.history.listEntities({ queryOptions: { filter } })) rows.push(row);
  return rows;
}

async function put(state, id) {
  const { columns, events, older } = states[state]();
  const pk = escapeKey(id);
  const executionId = guid();
  const its = older ? guid() : executionId;
  const before = await historyOf(id);
  const changes = before.map(({ rowKey }) => ["delete", { partitionKey: pk, rowKey }]);
  if (changes.length) await hub.history.submitTransaction(changes);
  const rows = events.map((e, n) => ({
    partitionKey: pk, rowKey: n.toString(16).toUpperCase().padStart(16, "0"),
    ExecutionId: its, IsPlayed: false, _Timestamp: at(-20), ...e,
  }));
  if (rows.length) {
    rows.push({ partitionKey: pk, rowKey: "sentinel", ExecutionId: its, IsCheckpointComplete: true, CheckpointCompletedTimestamp: at(-10) });
    await hub.history.submitTransaction(rows.map((r) => ["create", r]));
  }
  await hub.instances.upsertEntity(
    {
      partitionKey: pk, rowKey: "", Name: "Flow", Version: "", Input: "{\"a\":1}", CreatedTime: at(-20),
      LastUpdatedTime: at(-10), TaskHubName: hub.name, ExecutionId: executionId, Generation: 0, Tags: "null", ...columns,
    },
    "Replace",
  );
  return true;
}

// Takes every message there is, the work items' queue included.
async function take() {
  const names = [...Array.from({ length: hub.partitions }, (_, n) => hub.controlName(n)), `${hub.lower}-workitems`];
  const queues = await Promise.all(
    names.map(async (name) => {
      const queue = hub.queues.getQueueClient(name);
      const all = [];
      for (;;) {
        const { receivedMessageItems: items } = await queue.receiveMessages({ numberOfMessages: 32 });
        for (const m of items) {
          all.push({ queue: name, ...decodeMessage(m.messageText).TaskMessage });
          await queue.deleteMessage(m.messageId, m.popReceipt);
        }
        if (items.length < 32) return all;
      }
    }),
  );
  return queues.flat().map(({ queue, Event, OrchestrationInstance }) => ({
    id: OrchestrationInstance.InstanceId,
    type: Event.$type.split(".").at(-1),
    rightQueue: queue === hub.controlName(hub.partitionOf(OrchestrationInstance.InstanceId)),
    name: Event.Name ?? null,
    text: Event.Input ?? Event.Reason ?? Event.Data ?? null,
    executionId: Event.OrchestrationInstance?.ExecutionId ?? null,
    generation: Event.Generation ?? null,
  }));
}

async function look(id) {
  const [row, history, messages] = await Promise.all([hub.row(id), historyOf(id), take()]);
  let rows = 0;
  for await (const _ of hub.instances.listEntities({ queryOptions: { select: ["PartitionKey"] } })) rows++;
  return {
    row,
    history: history.map(({ rowKey, etag, EventType, Reason }) => ({ rowKey, etag, type: EventType, reason: Reason ?? null })),
    messages,
    rows,
  };
}

const questions = { put, look, states: () => Object.keys(states) };
for await (const line of readline.createInterface({ input: process.stdin })) {
  const [question, ...args] = JSON.parse(line);
  console.log(JSON.stringify(await questions[question](...args)));
}
