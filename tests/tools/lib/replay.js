// Runs an orchestrator against its history: which decisions are new, and has it ended?
import { orchestrators } from "./orchestrators.js";

class Task {
  constructor(kind, fields) {
    Object.assign(this, { kind, ...fields });
  }
}

const completions = {
  TaskCompleted: "ok",
  SubOrchestrationInstanceCompleted: "ok",
  TimerFired: "ok",
  TaskFailed: "failed",
  SubOrchestrationInstanceFailed: "failed",
};
const decisionTypes = new Set(["TaskScheduled", "SubOrchestrationInstanceCreated", "TimerCreated"]);

// events: rows of the current execution in order, payloads resolved. Returns { decisions, status,
// ended: null | { status, result, failure } | { continueAsNew } }; decisions are rows to be written.
export function replay(id, executionId, started, events) {
  const scheduled = new Map();
  const outcome = new Map();
  const raised = new Map();
  for (const e of events) {
    if (decisionTypes.has(e.EventType)) scheduled.set(e.EventId, e);
    const kind = completions[e.EventType];
    const task = e.EventType === "TimerFired" ? e.TimerId : e.TaskScheduledId;
    if (kind && !outcome.has(task)) outcome.set(task, { kind, e });
    if (e.EventType === "EventRaised") {
      const name = e.Name.toLowerCase();
      raised.set(name, [...(raised.get(name) ?? []), e]);
    }
  }
  let counter = 0;
  const decisions = [];
  const decide = (EventType, columns) => {
    const EventId = counter++;
    if (!scheduled.has(EventId)) decisions.push({ EventType, EventId, ...columns });
    return EventId;
  };
  const ctx = {
    id,
    input: started.Input === undefined ? undefined : JSON.parse(started.Input),
    status: undefined,
    again: undefined,
    activity: (Name, input) =>
      new Task("activity", {
        EventId: decide("TaskScheduled", { Name, Version: "", input: JSON.stringify(input) }),
      }),
    timer: (seconds) =>
      new Task("timer", { EventId: decide("TimerCreated", { seconds }) }),
    child: (Name, input, childId) => {
      const EventId = counter;
      return new Task("child", {
        EventId: decide("SubOrchestrationInstanceCreated", {
          Name,
          Version: "",
          InstanceId: childId ?? `${executionId}:${EventId}`,
          input: input === undefined ? undefined : JSON.stringify(input),
        }),
      });
    },
    event: (name) => new Task("event", { name: name.toLowerCase() }),
    continueAsNew: (input) => {
      ctx.again = { continueAsNew: JSON.stringify(input) };
    },
  };
  const end = (status, result, failure) => ({
    decisions,
    status: ctx.status,
    ended: { EventId: counter, status, result, failure },
  });
  const program = orchestrators[started.Name];
  if (!program) return end("Failed", `The function '${started.Name}' doesn't exist.`);
  const run = program(ctx);
  let step;
  try {
    step = run.next();
    while (!step.done) {
      const task = step.value;
      if (task.kind === "event") {
        const e = raised.get(task.name)?.shift();
        if (!e) return { decisions, status: ctx.status, ended: null };
        step = run.next(e.Input === undefined ? undefined : JSON.parse(e.Input));
        continue;
      }
      const done = outcome.get(task.EventId);
      if (!done) return { decisions, status: ctx.status, ended: null };
      if (done.kind === "failed") step = run.throw(new Error(done.e.Reason));
      else step = run.next(done.e.Result === undefined ? undefined : JSON.parse(done.e.Result));
    }
  } catch (e) {
    return end("Failed", `Orchestrator function '${started.Name}' failed: ${e.message}`, e.message);
  }
  if (ctx.again) return { decisions, status: ctx.status, ended: ctx.again };
  return end("Completed", step.value === undefined ? undefined : JSON.stringify(step.value));
}
