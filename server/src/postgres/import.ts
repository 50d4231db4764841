import type { Caller, Imported, ImportLine } from "@alai/core";
import type { EventDraft } from "@alai/core/rules/draft";
import {
  importedEvent,
  importKey,
  isSameTask,
  mayBeHere,
  originOf,
  renumberedOf,
  withoutParent,
} from "@alai/core/rules/import";
import { readKeyed } from "./add.ts";
import { readGraph, sendDependencies } from "./graph.ts";
import { sendLines } from "./journal.ts";
import { newRow, sendNewRows } from "./new-task.ts";
import { lockHead } from "./numbers.ts";
import { readTask, type TaskRow } from "./rows.ts";
import type { Session } from "./session.ts";
import { SQL } from "./sql.ts";

type Source = Pick<ImportLine, "id" | "title" | "created_at">;

/** Imports all lines or none. A line whose dedup key is here already is counted, not added. */
export async function importLines(session: Session, lines: readonly ImportLine[], caller: Caller): Promise<Imported> {
  session.send(SQL.lockGraph);
  const wanted = lines.flatMap(({ id }) => (id === undefined ? [] : [id]));
  const linked = lines.flatMap(({ parent, blocked_by }) => [
    ...(parent == null ? [] : [parent]),
    ...(blocked_by ?? []),
  ]);
  const [head, keyed, here, imported, graph] = await Promise.all([
    lockHead(session),
    readKeyed(
      session,
      lines,
      lines.flatMap(({ blocked_by_keys }) => blocked_by_keys ?? []),
    ),
    session.rows<TaskRow>(SQL.tasks, [...wanted, ...linked]),
    session.rows<{ task: number; source: Source }>(SQL.importedBefore, wanted),
    readGraph(session, linked),
  ]);
  const rows = new Map(here.map((row) => [row.id, row]));
  const earlier = new Map(imported.map(({ task, source }) => [importKey(source), task]));
  const ids = new Map<number, number>();
  const fresh: { row: TaskRow; line: ImportLine }[] = [];
  let existing = 0;

  const known = (line: ImportLine): number | null => {
    if (line.dedup_key) {
      const keyedRow = keyed.get(line.dedup_key);
      if (keyedRow) return keyedRow.id;
    }
    const same = mayBeHere(line) ? rows.get(line.id) : undefined;
    if (same && isSameTask(line, readTask(same, head.now))) return same.id;
    return earlier.get(importKey(line)) ?? null;
  };
  for (const line of lines) {
    const id = known(line);
    if (id !== null) existing += 1;
    else {
      const keep = line.id !== undefined && !rows.has(line.id);
      const origin = originOf(line, keep);
      const own = origin.id ?? head.numbers.next();
      head.numbers.keep(own);
      const row = newRow(own, withoutParent(line), head.now, origin);
      rows.set(own, row);
      if (row.dedup_key) keyed.set(row.dedup_key, row);
      fresh.push({ row, line });
    }
    if (line.id !== undefined) ids.set(line.id, id ?? fresh.at(-1)?.row.id ?? 0);
  }

  const resolve = (from: number) => ids.get(from) ?? (rows.has(from) ? from : null);
  const pairs: [number, number][] = [];
  let unresolved = 0;
  const linkedRows = fresh.map(({ row, line }) => {
    const parent = line.parent == null ? null : resolve(line.parent);
    if (line.parent != null && parent === null) unresolved += 1;
    const blockers = [
      ...(line.blocked_by ?? []).map(resolve),
      ...(line.blocked_by_keys ?? []).map((key) => keyed.get(key)?.id ?? null),
    ];
    for (const blocker of blockers) {
      if (blocker === null) unresolved += 1;
      else if (graph.add(row.id, blocker)) pairs.push([row.id, blocker]);
    }
    return { ...row, parent };
  });
  sendNewRows(session, linkedRows);
  sendDependencies(session, pairs);
  const evidence = fresh.flatMap(({ row, line }) => (line.evidence ?? []).map((file) => ({ task: row.id, ...file })));
  if (evidence.length > 0) session.send(SQL.addEvidence, JSON.stringify(evidence));
  head.numbers.save(session);
  sendLines(
    session,
    head.now,
    fresh.flatMap(({ row, line }) => linesOf(row.id, line, caller)),
  );
  return { added: fresh.length, existing, unresolved, renumbered: renumberedOf(ids) };
}

function linesOf(id: number, line: ImportLine, caller: Caller): EventDraft[] {
  const notes = (line.notes ?? []).map(
    (text): EventDraft => ({ task: id, kind: "noted", by: caller, fence: 0, data: { text } }),
  );
  return [importedEvent(id, line, caller), ...notes];
}
