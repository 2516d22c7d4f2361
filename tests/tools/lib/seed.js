// Starts a set of instances in every state, as a client of the engine would (storage messages 4.2).
import crypto from "node:crypto";
import { escapeKey } from "./hub.js";

export async function start(hub, worker, id, name, input) {
  const executionId = crypto.randomUUID().replaceAll("-", "");
  const time = worker.now();
  const text = input === undefined ? undefined : JSON.stringify(input);
  await hub.instances.createEntity({
    partitionKey: escapeKey(id), rowKey: "",
    ...(text !== undefined && { Input: text }),
    CreatedTime: { type: "DateTime", value: time }, LastUpdatedTime: { type: "DateTime", value: time },
    Name: name, Version: "", RuntimeStatus: "Pending", TaskHubName: hub.name,
    ExecutionId: executionId, Generation: 0, Tags: "null",
  });
  await worker.send(id, executionId, {
    type: "ExecutionStartedEvent",
    OrchestrationInstance: { $type: "DurableTask.Core.OrchestrationInstance", InstanceId: id, ExecutionId: executionId },
    EventType: 0, ParentInstance: null, Name: name, Version: "", Input: text ?? null, Generation: 0,
  });
}

export async function seed(hub, worker) {
  for (let i = 1; i <= 40; i++) await start(hub, worker, `order-${i}`, "Sequence", { order: i });
  for (let i = 1; i <= 6; i++) await start(hub, worker, `approval-${i}`, "WaitFor", "Approve");
  for (let i = 1; i <= 3; i++) await start(hub, worker, `broken-${i}`, "Fail", "no stock");
  await start(hub, worker, "flaky-1", "Flaky", null);
  await start(hub, worker, "loop-1", "Eternal", 0);
  await start(hub, worker, "fan-1", "Fan", null);
  await start(hub, worker, "big-1", "BigOutput", 2000000);
  await start(hub, worker, "parent-1", "Parent", { child: "child-1" });
  await start(hub, worker, "nap-1", "Sleep", { seconds: 5 });
  while (await worker.turn()) continue;
}
