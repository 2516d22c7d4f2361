// Starts an Azurite of our own: in memory, on free ports, ended with the process that asked for it.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import path from "node:path";

const here = path.dirname(fileURLToPath(import.meta.url));
const program = path.join(here, "../node_modules/azurite/dist/src/azurite.js");

export const devAccount = "devstoreaccount1";
// The emulator's published key: no secret.
export const devKey =
  "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

export function connectionString({ blob, queue, table, account = devAccount, key = devKey }) {
  const at = (port) => `http://127.0.0.1:${port}/${account}`;
  return (
    `DefaultEndpointsProtocol=http;AccountName=${account};AccountKey=${key};` +
    `BlobEndpoint=${at(blob)};QueueEndpoint=${at(queue)};TableEndpoint=${at(table)};`
  );
}

// Resolves to { connection, ports: { blob, queue, table }, child, stop() } once all three services
// listen (they come up in the order blob, queue, table).
export function startAzurite({ location, ports = {}, env = {} } = {}) {
  const args = [program, "--disableTelemetry", "--silent"];
  for (const service of ["blob", "queue", "table"])
    args.push(`--${service}Port`, String(ports[service] ?? 0));
  args.push(...(location ? ["--location", location] : ["--inMemoryPersistence"]));
  const child = spawn(process.execPath, args, {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...env },
  });
  return new Promise((resolve, reject) => {
    const found = {};
    let text = "";
    let errors = "";
    child.stderr.on("data", (d) => (errors += d));
    child.once("exit", (code) => reject(new Error(`azurite ended with ${code}: ${errors}`)));
    child.stdout.on("data", (d) => {
      text += d;
      for (const m of text.matchAll(/(Blob|Queue|Table) service is successfully listening at http:\/\/[^:]+:(\d+)/g))
        found[m[1].toLowerCase()] = Number(m[2]);
      if (found.blob && found.queue && found.table) {
        child.removeAllListeners("exit");
        resolve({
          ports: found,
          child,
          connection: connectionString(found),
          stop: () =>
            new Promise((done) => {
              child.once("exit", done);
              child.kill("SIGTERM");
            }),
        });
      }
    });
  });
}
