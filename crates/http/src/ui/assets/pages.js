// Fills the pages with what the REST interface answers. Addresses are relative to the page's <base>. What comes from sessions
// is shown as text and never as markup: it is other people's.
"use strict";

const LISTED = 100;
const LOG_LINES = 1000;
const LONGEST_TEXT = 20000;

const byId = (id) => document.getElementById(id);

/** The answer to a GET; an error has the server's words. */
async function ask(path) {
  const response = await fetch(path);
  const text = await response.text();
  let answer = null;
  try {
    answer = JSON.parse(text);
  } catch {
    // A proxy may answer with anything; that is told below.
  }
  if (!response.ok || answer === null) {
    const words = typeof answer === "string" ? answer : answer && answer.msg;
    throw new Error(words || `${path}: status ${response.status}`);
  }
  return answer;
}

/** An element with a text or with other elements in it. */
function element(name, ...content) {
  const made = document.createElement(name);
  made.append(...content.map((one) => (one instanceof Node ? one : short(one))));
  return made;
}

function short(value) {
  const text = value === null || value === undefined ? "" : String(value);
  return text.length <= LONGEST_TEXT ? text : `${text.slice(0, LONGEST_TEXT)}\n… (${text.length} characters in all)`;
}

function link(address, text) {
  const made = element("a", text);
  made.href = address;
  return made;
}

/** Addresses come from drivers, whose code may say anything: only those of the web become links. */
function application(entry) {
  const address = entry.appInfo && entry.appInfo.sparkUiUrl;
  if (typeof address !== "string" || !/^https?:\/\//i.test(address)) {
    return short(entry.appId);
  }
  const made = link(address, entry.appId || "Spark UI");
  made.rel = "noreferrer noopener";
  return made;
}

function row(...cells) {
  return element("tr", ...cells.map((cell) => element("td", cell)));
}

/** The newest entries of a list, newest first. A list of batches calls them sessions, too. */
async function newest(collection) {
  let answer = await ask(`${collection}?size=${LISTED}`);
  if (answer.total > LISTED) {
    answer = await ask(`${collection}?from=${answer.total - LISTED}&size=${LISTED}`);
  }
  return { total: answer.total, entries: answer.sessions.reverse() };
}

function tell(id, shown, total, none) {
  const note = shown < total ? `The newest ${shown} of ${total}.` : "";
  byId(id).textContent = total === 0 ? none : note;
}

async function showSessions() {
  const { total, entries } = await newest("sessions");
  tell("sessions-note", entries.length, total, "There are no sessions.");
  const rows = entries.map((one) =>
    row(
      link(`ui/session/${one.id}`, one.id), one.name, one.kind, one.state, one.owner, one.proxyUser, application(one),
      link(`ui/session/${one.id}/log`, "log"),
    ),
  );
  byId("sessions").replaceChildren(...rows);
}

async function showBatches() {
  const { total, entries } = await newest("batches");
  tell("batches-note", entries.length, total, "There are no batches.");
  const rows = entries.map((one) =>
    row(
      link(`api/v1/batches/${one.id}`, one.id), one.name, one.state, one.owner, one.proxyUser, application(one),
      link(`ui/batch/${one.id}/log`, "log"),
    ),
  );
  byId("batches").replaceChildren(...rows);
}

async function showSummary(id) {
  const session = await ask(`sessions/${id}`);
  const lines = [
    ["State", session.state],
    ["Name", session.name],
    ["Kind", session.kind],
    ["Owner", session.owner],
    ["Proxy user", session.proxyUser],
    ["Application", application(session)],
  ];
  byId("summary").replaceChildren(...lines.map(([name, value]) => element("tr", element("th", name), element("td", value))));
}

/** What came of a statement, as text. */
function outcome(output) {
  if (!output) {
    return "";
  }
  if (output.status === "error") {
    const traceback = Array.isArray(output.traceback) ? output.traceback.join("") : "";
    return `${output.ename}: ${output.evalue}\n${traceback}`;
  }
  const data = output.data || {};
  if ("text/plain" in data) {
    return data["text/plain"];
  }
  return Object.entries(data)
    .map(([type, value]) => `${type}: ${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join("\n");
}

async function showStatements(id) {
  const answer = await ask(`sessions/${id}/statements?order=desc&size=${LISTED}`);
  const statements = answer.statements;
  tell("statements-note", statements.length, answer.total_statements, "No statements were submitted.");
  const rows = statements.map((one) =>
    row(one.id, element("pre", one.code), one.state, element("pre", outcome(one.output))),
  );
  byId("statements").replaceChildren(...rows);
}

async function showLog(collection, id) {
  const answer = await ask(`${collection}/${id}/log?size=${LOG_LINES}`);
  const lines = answer.log;
  byId("log-note").textContent =
    lines.length < answer.total ? `The last ${lines.length} of ${answer.total} lines.` : "";
  const pane = byId("log");
  pane.textContent = lines.length === 0 ? "Nothing was written." : lines.join("\n");
  pane.scrollTop = pane.scrollHeight;
}

/** Runs all; what fails is told and does not keep the rest. */
async function show(...parts) {
  const results = await Promise.allSettled(parts);
  const failed = results.filter((one) => one.status === "rejected").map((one) => one.reason.message);
  byId("trouble").textContent = [...new Set(failed)].join("\n");
}

const { page, id, collection } = document.body.dataset;
if (page === "home") {
  show(showSessions(), showBatches());
} else if (page === "session") {
  show(showSummary(id), showStatements(id));
} else if (page === "log") {
  show(showLog(collection, id));
}
