/** What a person may do with a case: for which levels to sign, whether to verify 核实 or release red. Pure. */
import { LEVELS, signature } from "./ladder.js";
import { above } from "./risk.js";

/** Kinds of areas that are called otherwise than the level they speak for: domain/data/levels.toml. */
const SPEAKS_FOR = { corps: "province", division: "city", regiment: "county" };
const RELEASERS = ["park", "county"];
const VERIFIERS = [...RELEASERS, "city"];

/** The levels that these roles speak for in a case, the highest first. */
export function levelsOf(roles, nodes, warning) {
  const reach = { operator: above(nodes, warning.source), enterprise: [warning.enterprise] };
  const kinds = new Set(
    roles.filter((grant) => reach[grant.role]?.includes(grant.node))
      .map((grant) => nodes.get(grant.node)?.kind),
  );
  const levels = new Set([...kinds].map((kind) => SPEAKS_FOR[kind] ?? kind));
  return LEVELS.filter((level) => levels.has(level)).reverse();
}

/** Whether these roles are an operator's of an area that a node lies in. */
export function oversees(roles, nodes, id) {
  const path = above(nodes, id);
  return roles.some((grant) => grant.role === "operator" && path.includes(grant.node));
}

/** Of these levels those that have not signed since the last rise. */
export function toSign(levels, warning) {
  return levels.filter((level) => signature(warning, level) === null);
}

/** Of these levels those that may give red free now; a release asks for feedback first. */
export function toRelease(levels, warning) {
  const reported = ["fed_back", "reviewed"].includes(warning.state);
  const ready = warning.colour === "red" && reported && !warning.released;
  return ready ? levels.filter((level) => RELEASERS.includes(level)) : [];
}

/** Whether it is a red that nobody has verified 待核实 since it rose. */
export function isUnverified(warning) {
  return warning.colour === "red" && !warning.loop?.verified && !["settled", "closed"].includes(warning.state);
}

/** Of these levels those that may verify red now. */
export function toVerify(levels, warning) {
  return isUnverified(warning) ? levels.filter((level) => VERIFIERS.includes(level)) : [];
}
