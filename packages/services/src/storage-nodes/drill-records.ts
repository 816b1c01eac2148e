import type { MetadataReader, MetadataTransaction } from '@cairn/metadata-store';
import { type DrillReport, type DrillSummary, drillReportSchema } from '@cairn/protocol';

const NAME = 'drills';
const KEPT_OF_EACH_KIND = 5;

/** What is kept of drills, newest first. What cannot be understood any more counts as not there. */
export async function readDrills(reader: MetadataReader): Promise<DrillReport[]> {
  const text = await reader.getValue(NAME);
  if (text === undefined) return [];
  return drillReportSchema.array().catch([]).parse(JSON.parse(text));
}

/** Keeps a report, and the last ones of each kind besides. */
export async function keepDrill(transaction: MetadataTransaction, report: DrillReport): Promise<void> {
  const all = [report, ...(await readDrills(transaction))].sort((a, b) => b.endedAt - a.endedAt);
  const kept = all.filter(
    (each) => all.filter(({ kind }) => kind === each.kind).indexOf(each) < KEPT_OF_EACH_KIND,
  );
  await transaction.setValue(NAME, JSON.stringify(kept));
}

/** The last one of each kind. */
export function summariseDrills(reports: readonly DrillReport[]): DrillSummary[] {
  return (['scratch', 'live'] as const).flatMap((kind) => {
    const last = reports.find((report) => report.kind === kind);
    if (last === undefined) return [];
    const unproven = last.claims.filter(({ result }) => result === 'unproven').length;
    return [{ kind, endedAt: last.endedAt, proven: last.claims.length - unproven, unproven }];
  });
}
