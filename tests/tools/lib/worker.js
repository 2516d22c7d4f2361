// A small worker that plays the app over real storage (storage messages 9): it owns all partitions and
// obeys messages as the genuine engine's worker was seen to do. mode "A": before 2.7.0, "B": after.
import crypto from "node:crypto";
import { activities, entities } from "./orchestrators.js";
import { decodeMessage, escapeKey } from "./hub.js";
import { replay } from "./replay.js";

const guid = () => crypto.randomUUID().replaceAll("-", "");
const finished = new Set(["Completed", "Failed", "Terminated", "Canceled"]);
const inlineUnits = 30720;
const day = (d) => ({ type: "DateTime", value: d });

export class Worker {
  constructor(hub, { mode = "B", log = () => {} } = {}) {
    Object.assign(this, { hub, mode, log, sequence: 1, stopping: false, poison: 0, received: [] });
  }

  now() {
    const ticks = process.hrtime.bigint() % 10000n;
    return new Date().toISOString().replace("Z", String(ticks).padStart(4, "0") + "Z");
  }

  async run({ pollMs = 50 } = {}) {
    while (!this.stopping) {
      const busy = await this.turn();
      if (!busy) await new Promise((r) => setTimeout(r, pollMs));
    }
  }

  stop() {
    this.stopping = true;
  }

  // One look at every control queue; true if there was anything to do.
  async turn() {
    let busy = false;
    for (let n = 0; n < this.hub.partitions; n++) {
      const queue = this.hub.queues.getQueueClient(this.hub.controlName(n));
      const { receivedMessageItems: items } = await queue.receiveMessages({
        numberOfMessages: 32,
        visibilityTimeout: 300,
      });
      if (items.length === 0) continue;
      busy = true;
      await this.batch(queue, items);
    }
    return busy;
  }

  async batch(queue, items) {
    const groups = new Map();
    for (const item of items) {
      let m;
      try {
        m = await this.open(decodeMessage(item.messageText));
      } catch (e) {
        this.poison++;
        this.log(`poison: ${e.message}`);
        await queue.updateMessage(item.messageId, item.popReceipt, item.messageText, Math.min(2 ** item.dequeueCount, 600));
        continue;
      }
      const id = m.TaskMessage.OrchestrationInstance.InstanceId;
      this.received.push({ id, event: m.TaskMessage.Event });
      if (!groups.has(id)) groups.set(id, []);
      groups.get(id).push({ item, m, event: m.TaskMessage.Event, sender: m.Sender });
    }
    for (const [id, group] of groups) {
      group.sort((a, b) => a.item.insertedOn - b.item.insertedOn || a.m.SequenceNumber - b.m.SequenceNumber);
      const keep = await this.group(id, group);
      for (const { item } of group)
        if (keep === "later")
          await queue.updateMessage(item.messageId, item.popReceipt, item.messageText, Math.min(2 ** item.dequeueCount, 600));
        else await queue.deleteMessage(item.messageId, item.popReceipt);
    }
  }

  async open(json) {
    if (json.CompressedBlobName) json = JSON.parse(await this.hub.getPayload(json.CompressedBlobName));
    const event = json.TaskMessage.Event;
    if (Object.keys(event)[0] !== "$type") throw new Error("Event without a leading $type");
    if (event.$type.endsWith("EventRaisedEvent") && !json.Sender) throw new Error("EventRaised without Sender");
    return json;
  }

  async history(id) {
    const filter = `PartitionKey eq '${escapeKey(id).replaceAll("'", "''")}'`;
    const rows = [];
    for await (const row of this.hub.history.listEntities({ queryOptions: { filter } })) rows.push(row);
    const sentinel = rows.find((r) => r.rowKey === "sentinel");
    const events = rows.filter((r) => r.rowKey !== "sentinel" && r.ExecutionId === sentinel?.ExecutionId);
    for (const e of events)
      for (const column of ["Input", "Result", "Reason"])
        if (e[`${column}BlobName`]) e[column] = await this.hub.getPayload(e[`${column}BlobName`]);
    return { sentinel, events };
  }

  // "done" or "later" (put the messages back).
  async group(id, group) {
    const { sentinel, events } = await this.history(id);
    const row = await this.hub.row(id);
    let starts = group.filter(({ event }) => event.$type.endsWith("ExecutionStartedEvent"));
    if (starts.some(({ event }) => !event.ParentInstance) && !starts.some(({ event }) => row?.ExecutionId === event.OrchestrationInstance.ExecutionId))
      if (starts.every(({ event }) => !event.ParentInstance)) {
        if (!row) return "later";
        starts = [];
      }
    const start = starts.find(
      ({ event }) => event.ParentInstance || event.OrchestrationInstance.ExecutionId === row?.ExecutionId,
    )?.event;
    const ended = events.some((e) => e.EventType === "ExecutionCompleted");
    const begun = events.length > 0 && (!start || start.OrchestrationInstance.ExecutionId === sentinel.ExecutionId);
    if (id.startsWith("@")) return this.entity(id, group, row);
    if (!begun && !start) {
      const stop = group.find(({ event }) => event.$type.endsWith("ExecutionTerminatedEvent"));
      if (stop && this.mode === "B") {
        if (!row) return "later";
        const time = day(stop.event.Timestamp);
        await this.merge(id, { RuntimeStatus: "Terminated", LastUpdatedTime: time, CompletedTime: time, ...(stop.event.Input != null && { Output: stop.event.Input }) });
      }
      return "done";
    }
    if (begun && ended && (!start || start.OrchestrationInstance.ExecutionId === sentinel.ExecutionId)) return "done";
    await this.episode(id, group, start, begun && !start ? { sentinel, events } : begun ? { sentinel, events } : { sentinel, events: [] });
    return "done";
  }

  async episode(id, group, start, { sentinel, events }) {
    const executionId = events.length > 0 ? sentinel.ExecutionId : start.OrchestrationInstance.ExecutionId;
    const fresh = [{ EventType: "OrchestratorStarted", EventId: -1 }];
    const changes = {};
    const incoming = group
      .map(({ event }) => event)
      .filter((e) => !(events.length > 0 && e.$type.endsWith("ExecutionStartedEvent")))
      .sort((a, b) => b.$type.endsWith("ExecutionStartedEvent") - a.$type.endsWith("ExecutionStartedEvent"));
    for (const e of incoming) fresh.push(this.incoming(id, e, changes));
    let all = [...events, ...fresh];
    const started = all.find((e) => e.EventType === "ExecutionStarted");
    const terminated = fresh.find((e) => e.EventType === "ExecutionTerminated");
    const switches = all.filter((e) => /^Execution(Suspended|Resumed)$/.test(e.EventType));
    const suspended = switches.at(-1)?.EventType === "ExecutionSuspended";
    let outcome = { decisions: [], ended: null };
    if (terminated) outcome.ended = { EventId: all.filter((e) => e.EventId >= 0).length, status: "Terminated", result: terminated.Input };
    else if (!suspended) outcome = replay(id, executionId, started, all);
    if (outcome.ended?.continueAsNew !== undefined) return this.again(id, started, outcome.ended.continueAsNew);
    const outbound = [];
    for (const d of outcome.decisions) fresh.push(await this.decision(id, executionId, d, outbound));
    if (outcome.ended) {
      const { EventId, status, result } = outcome.ended;
      fresh.push({ EventType: "ExecutionCompleted", EventId, OrchestrationStatus: status, Result: result });
      changes.RuntimeStatus = status;
      changes.CompletedTime = day(this.now());
      if (result !== undefined && result !== null) changes.Output = result;
      const parent = started.ParentInstance && JSON.parse(started.ParentInstance);
      if (parent) outbound.push(() => this.tellParent(parent, status, result));
    }
    fresh.push({ EventType: "OrchestratorCompleted", EventId: -1 });
    await this.write(id, executionId, events.length, fresh, sentinel, changes, outcome.status);
    for (const send of outbound) await send();
  }

  incoming(id, e, changes) {
    const type = e.$type.replace("DurableTask.Core.History.", "").replace(/Event$/, "");
    const base = { EventType: type, EventId: e.EventId ?? -1, time: e.Timestamp };
    switch (type) {
      case "ExecutionStarted":
        Object.assign(changes, {
          Name: e.Name,
          Version: e.Version ?? "",
          CreatedTime: day(e.Timestamp),
          RuntimeStatus: "Running",
          Tags: "null",
          ...(e.Input != null && { Input: e.Input }),
          ...(e.Generation != null && { Generation: e.Generation }),
        });
        return {
          ...base, Name: e.Name, Version: e.Version ?? "", Input: e.Input ?? undefined,
          Generation: e.Generation ?? undefined,
          OrchestrationInstance: JSON.stringify({ InstanceId: id, ExecutionId: e.OrchestrationInstance.ExecutionId }),
          ParentInstance: e.ParentInstance ? JSON.stringify(strip(e.ParentInstance)) : "null",
        };
      case "ExecutionSuspended":
      case "ExecutionResumed":
        changes.RuntimeStatus = type === "ExecutionSuspended" ? "Suspended" : "Running";
        if (e.Reason != null) changes.Output = e.Reason;
        return { ...base, Reason: e.Reason ?? undefined };
      case "Generic":
        return { ...base, EventType: "GenericEvent", Data: e.Data ?? undefined };
      default:
        return {
          ...base, Name: e.Name, Input: e.Input ?? undefined, Result: e.Result ?? undefined,
          Reason: e.Reason ?? undefined, TaskScheduledId: e.TaskScheduledId, TimerId: e.TimerId,
          ...(e.FireAt && { FireAt: day(e.FireAt) }),
        };
    }
  }

  // Turns a decision into its row and queues what follows from it.
  async decision(id, executionId, d, outbound) {
    const { input, seconds, ...row } = d;
    const reply = (event) => () => this.send(id, executionId, event);
    if (d.EventType === "TaskScheduled") {
      outbound.push(async () => {
        let event;
        try {
          const result = activities[d.Name](input === undefined ? undefined : JSON.parse(input));
          event = { type: "TaskCompletedEvent", EventType: 5, TaskScheduledId: d.EventId, Result: JSON.stringify(result) };
        } catch (e) {
          event = { type: "TaskFailedEvent", EventType: 6, TaskScheduledId: d.EventId, Reason: e.message, Details: null };
        }
        await reply(event)();
      });
    } else if (d.EventType === "TimerCreated") {
      const due = new Date(Date.now() + seconds * 1000).toISOString();
      row.FireAt = day(due);
      outbound.push(() =>
        this.send(id, executionId, { type: "TimerFiredEvent", EventType: 11, TimerId: d.EventId, FireAt: due }, Math.ceil(seconds)),
      );
    } else if (d.EventType === "SubOrchestrationInstanceCreated") {
      outbound.push(() => this.startChild(id, executionId, d, input));
    }
    return row;
  }

  async startChild(id, executionId, d, input) {
    const instance = { $type: "DurableTask.Core.OrchestrationInstance", InstanceId: d.InstanceId, ExecutionId: guid() };
    await this.send(d.InstanceId, instance.ExecutionId, {
      type: "ExecutionStartedEvent", OrchestrationInstance: instance, EventType: 0,
      ParentInstance: { Name: d.Name, OrchestrationInstance: { InstanceId: id, ExecutionId: executionId }, TaskScheduleId: d.EventId, Version: "" },
      Name: d.Name, Version: "", Input: input ?? null,
    });
  }

  async tellParent(parent, status, result) {
    const { InstanceId, ExecutionId } = parent.OrchestrationInstance;
    const event =
      status === "Completed"
        ? { type: "SubOrchestrationInstanceCompletedEvent", EventType: 8, TaskScheduledId: parent.TaskScheduleId, Result: result }
        : { type: "SubOrchestrationInstanceFailedEvent", EventType: 9, TaskScheduledId: parent.TaskScheduleId, Reason: result ?? status };
    await this.send(InstanceId, ExecutionId, event);
  }

  async send(id, executionId, { type, ...event }, delay) {
    const body = {
      $type: "DurableTask.AzureStorage.MessageData",
      ActivityId: crypto.randomUUID(),
      TaskMessage: {
        $type: "DurableTask.Core.TaskMessage",
        Event: { $type: `DurableTask.Core.History.${type}`, ...event, EventId: -1, IsPlayed: false, Timestamp: this.now() },
        SequenceNumber: 0,
        OrchestrationInstance: { $type: "DurableTask.Core.OrchestrationInstance", InstanceId: id, ExecutionId: executionId },
        OrchestrationExecutionContext: null,
      },
      CompressedBlobName: null,
      SequenceNumber: this.sequence++,
      Sender: { InstanceId: "", ExecutionId: "" },
    };
    await this.hub.controlQueue(id).sendMessage(JSON.stringify(body), {
      messageTimeToLive: -1,
      ...(delay && { visibilityTimeout: delay }),
    });
  }

  // ContinueAsNew is executed in memory and rests in the new generation (storage tables 5.6).
  async again(id, started, input) {
    const executionId = guid();
    const start = {
      $type: "DurableTask.Core.History.ExecutionStartedEvent",
      OrchestrationInstance: { InstanceId: id, ExecutionId: executionId },
      Name: started.Name, Version: started.Version, Input: input, Timestamp: this.now(),
    };
    const { sentinel } = await this.history(id);
    await this.episode(id, [{ event: start }], start, { sentinel, events: [] });
  }

  // Large cells to blobs, history with sentinel, then the row: in this order.
  async write(id, executionId, offset, rows, sentinel, changes, status) {
    const pk = escapeKey(id);
    const entitiesOut = [];
    let last;
    for (const [n, { time, ...columns }] of rows.entries()) {
      last = time ?? this.now();
      const rowKey = (offset + n).toString(16).toUpperCase().padStart(16, "0");
      const e = { partitionKey: pk, rowKey, ExecutionId: executionId, IsPlayed: false, _Timestamp: day(last) };
      for (const [k, v] of Object.entries(columns)) {
        if (v === undefined) continue;
        e[k] = v;
        if (typeof v === "string" && v.length > inlineUnits) {
          const name = `${pk}/history-${rowKey}-${columns.EventType}-${crypto.randomBytes(4).toString("hex").toUpperCase()}-${k}.json.gz`;
          await this.hub.putPayload(name, v);
          e[k] = "";
          e[`${k}BlobName`] = name;
          const url = `${this.hub.payloads.url}/${name.split("/").map(encodeURIComponent).join("/")}`;
          if (k === "Result" && changes.Output === v) changes.Output = url;
          if (k === "Input" && changes.Input === v) changes.Input = url;
        }
      }
      entitiesOut.push(e);
    }
    const mark = {
      partitionKey: pk, rowKey: "sentinel", ExecutionId: executionId, IsCheckpointComplete: true,
      CheckpointCompletedTimestamp: day(this.now()),
    };
    await this.hub.history.submitTransaction([
      ...entitiesOut.map((e) => ["upsert", e, "Replace"]),
      sentinel ? ["update", mark, "Merge", { etag: sentinel.etag }] : ["create", mark],
    ]);
    await this.merge(id, {
      CustomStatus: status === undefined ? "null" : JSON.stringify(status),
      ExecutionId: executionId,
      LastUpdatedTime: day(last),
      TaskHubName: this.hub.name,
      ...changes,
    });
  }

  async merge(id, columns) {
    await this.hub.instances.upsertEntity({ partitionKey: escapeKey(id), rowKey: "", ...columns }, "Merge");
  }

  // A batch of operations; the row is rewritten like a ContinueAsNew (storage tables 9.2).
  async entity(id, group, row) {
    const [, name] = id.split("@");
    const kind = entities[name];
    if (!kind) return "later";
    const before = row?.Input ? JSON.parse(row.Input) : {};
    let state = before.state === undefined ? undefined : JSON.parse(before.state);
    for (const { event } of group) {
      const request = JSON.parse(event.Input);
      state = kind[request.op](state, request.input === undefined ? undefined : JSON.parse(request.input));
    }
    const time = this.now();
    const executionId = guid();
    const input = JSON.stringify({ ...(state !== undefined && { state: JSON.stringify(state) }), sorter: {} });
    const { sentinel } = await this.history(id);
    await this.write(id, executionId, 0, [
      { EventType: "OrchestratorStarted", EventId: -1 },
      { EventType: "ExecutionStarted", EventId: -1, Name: id, Version: "", Input: input },
      { EventType: "OrchestratorCompleted", EventId: -1 },
    ], sentinel, {
      Name: id, Version: "", CreatedTime: day(time), RuntimeStatus: "Running", Tags: "null", Input: input,
      CustomStatus: JSON.stringify(state === undefined ? {} : { entityExists: true }),
    });
    return "done";
  }

  isFinished(row) {
    return finished.has(row?.RuntimeStatus);
  }
}

function strip(value) {
  return JSON.parse(JSON.stringify(value, (k, v) => (k === "$type" ? undefined : v)));
}
