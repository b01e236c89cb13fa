/** The scores that a run tells as it goes, written down for its page. */
import type { FinishedEvent, TrainEvent } from "../runs/events.js";
import { runFolder } from "../runs/folder.js";
import { readSkill, type StoredSkill, writeSkill } from "../runs/skill.js";

/**
 * The same events; what they say of scores goes to `.atmorep/id<ID>/skill.json`. Where that cannot be written the training goes on
 * without it.
 * @param out folder that holds `results/` and `models/`
 */
export async function* withSkillNoted(
  events: AsyncGenerator<TrainEvent, FinishedEvent>,
  out: string,
): AsyncGenerator<TrainEvent, FinishedEvent> {
  let noted: StoredSkill = { baselines: [], validations: [], end: null };
  let id = "";
  const write = () => writeSkill(runFolder(out, id), noted).catch(() => undefined);
  try {
    for (;;) {
      const { done, value: event } = await events.next();
      if (done) return event;
      if (event.type === "started") {
        id = event.runId;
        // of a run that is continued in place: what it told up to there
        const before = await readSkill(runFolder(out, id)).catch(() => null);
        const validations = before?.validations.filter(({ step }) => step < event.firstStep) ?? [];
        noted = { baselines: event.baselines, validations, end: null };
        await write();
      }
      if (event.type === "validated") {
        const { epoch, step, skill, verdict } = event;
        noted.validations.push({ epoch, step, skill, verdict });
        await write();
      }
      if (event.type === "finished" && id !== "") {
        const { step, skill, verdict, toldOn, averaging } = event;
        noted.end = { step, skill, verdict, toldOn, averaging };
        await write();
      }
      yield event;
    }
  } finally {
    await events.return(undefined as never);
  }
}
