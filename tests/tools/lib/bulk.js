// Loads rows fast: the emulator takes rows of different partitions in one transaction (Azurite facts
// 5.4), which Azure refuses, and Microsoft's SDK with it. Test data only.
import crypto from "node:crypto";

const batchRows = 100;

function account(connection) {
  const part = (name) => connection.match(new RegExp(`${name}=([^;]+)`))[1];
  return { name: part("AccountName"), key: part("AccountKey"), endpoint: part("TableEndpoint").replace(/\/$/, "") };
}

function plain(entity) {
  const { partitionKey, rowKey, ...columns } = entity;
  const row = { PartitionKey: partitionKey, RowKey: rowKey };
  for (const [name, value] of Object.entries(columns)) {
    if (value === undefined) continue;
    if (value !== null && typeof value === "object") {
      row[`${name}@odata.type`] = `Edm.${value.type}`;
      row[name] = value.value;
    } else row[name] = value;
  }
  return JSON.stringify(row);
}

async function submit({ name, key, endpoint }, table, entities) {
  const operations = entities.map((e) => {
    const literal = (s) => encodeURIComponent(s.replaceAll("'", "''")).replaceAll("'", "%27");
    const at = `${endpoint}/${table}(PartitionKey='${literal(e.partitionKey)}',RowKey='${literal(e.rowKey)}')`;
    return (
      "--changeset_1\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n" +
      `PUT ${at} HTTP/1.1\r\nContent-Type: application/json\r\nAccept: application/json;odata=nometadata\r\n\r\n` +
      `${plain(e)}\r\n`
    );
  });
  const body =
    "--batch_1\r\nContent-Type: multipart/mixed; boundary=changeset_1\r\n\r\n" +
    `${operations.join("")}--changeset_1--\r\n--batch_1--\r\n`;
  const date = new Date().toUTCString();
  const path = new URL(`${endpoint}/$batch`).pathname;
  const signature = crypto
    .createHmac("sha256", Buffer.from(key, "base64"))
    .update(`${date}\n/${name}${path}`)
    .digest("base64");
  const answer = await fetch(`${endpoint}/$batch`, {
    method: "POST",
    body,
    headers: {
      "Content-Type": "multipart/mixed; boundary=batch_1",
      Accept: "application/json;odata=nometadata",
      "x-ms-date": date,
      "x-ms-version": "2021-12-02",
      DataServiceVersion: "3.0",
      Authorization: `SharedKeyLite ${name}:${signature}`,
    },
  });
  const text = await answer.text();
  const done = (text.match(/HTTP\/1\.1 20[14]/g) ?? []).length;
  if (done !== entities.length)
    throw new Error(`batch into ${table}: ${done} of ${entities.length} rows: ${answer.status} ${text.slice(0, 400)}`);
}

// Upserts entities (as the SDK writes them: partitionKey, rowKey, { type, value } for typed columns).
export async function insertAll(connection, table, entities) {
  const to = account(connection);
  for (let i = 0; i < entities.length; i += batchRows) await submit(to, table, entities.slice(i, i + batchRows));
}
