// drain.js HUB: takes every message out of the hub's control queues, in the account named by
// AzureWebJobsStorage, and prints what each says: one JSON object a line.
import { Hub, decodeMessage } from "./lib/hub.js";

const hub = new Hub(process.env.AzureWebJobsStorage, process.argv[2]);

async function drain(name) {
  const queue = hub.queues.getQueueClient(name);
  for (;;) {
    const { receivedMessageItems: items } = await queue.receiveMessages({ numberOfMessages: 32, visibilityTimeout: 600 });
    if (items.length === 0) return;
    for (const m of items) {
      const { Event, OrchestrationInstance } = decodeMessage(m.messageText).TaskMessage;
      const id = OrchestrationInstance.InstanceId;
      const right = name === hub.controlName(hub.partitionOf(id));
      console.log(JSON.stringify({ queue: name, right, id, type: Event.$type.split(".").at(-1), name: Event.Name, input: Event.Input }));
    }
    await Promise.all(items.map((m) => queue.deleteMessage(m.messageId, m.popReceipt)));
  }
}

await Promise.all(Array.from({ length: hub.partitions }, (_, n) => drain(hub.controlName(n))));
