// drain.js HUB [FILE]: takes every message out of the hub's control queues, in the account named by
// AzureWebJobsStorage, and prints what each says: one JSON object a line. With FILE it goes on until
// that file is there and nothing is left: a long queue makes the emulator slow.
import fs from "node:fs";
import { Hub, decodeMessage } from "./lib/hub.js";

const [name, file] = process.argv.slice(2);
const hub = new Hub(process.env.AzureWebJobsStorage, name);

function say(queue, text) {
  const { Event, OrchestrationInstance } = decodeMessage(text).TaskMessage;
  const id = OrchestrationInstance.InstanceId;
  const right = queue === hub.controlName(hub.partitionOf(id));
  console.log(JSON.stringify({ queue, right, id, type: Event.$type.split(".").at(-1), name: Event.Name, input: Event.Input }));
}

async function drain(queueName) {
  const queue = hub.queues.getQueueClient(queueName);
  for (;;) {
    const last = !file || fs.existsSync(file);
    const { receivedMessageItems: items } = await queue.receiveMessages({ numberOfMessages: 32, visibilityTimeout: 600 });
    if (items.length === 0 && last) return;
    for (const m of items) say(queueName, m.messageText);
    await Promise.all(items.map((m) => queue.deleteMessage(m.messageId, m.popReceipt)));
    if (items.length === 0) await new Promise((r) => setTimeout(r, 100));
  }
}

await Promise.all(Array.from({ length: hub.partitions }, (_, n) => drain(hub.controlName(n))));
