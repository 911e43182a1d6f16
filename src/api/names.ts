/** Names that appear in the cluster: one place, so that code, charts and docs cannot drift apart. */
export const GROUP = 'robotgc.dev';
export const VERSION = 'v1alpha1';
export const API_VERSION = `${GROUP}/${VERSION}`;

/** Server-side apply field managers: remedies and status are owned apart, so that each can be released alone. */
export const REMEDY_FIELD_MANAGER = 'robotgc-remedy';
export const STATUS_FIELD_MANAGER = 'robotgc-status';
export const TUNING_FIELD_MANAGER = 'robotgc-tuning';
export const APPROVAL_FIELD_MANAGER = 'robotgc-approval';
export const AGENT_FIELD_MANAGER = 'robotgc-agent';

export const LABEL_POLICY = `${GROUP}/policy`;
export const LABEL_POD = `${GROUP}/pod`;
/** The workload of an incident's pod: one incident at a time for each policy and workload. */
export const LABEL_WORKLOAD = `${GROUP}/workload`;

/** On a workload's owner: which incident caused the last change, and the value before it, as JSON. */
export const ANNOTATION_CAUSE = `${GROUP}/cause`;
export const ANNOTATION_PREVIOUS = `${GROUP}/previous`;
/** On a workload's owner, `"true"` stops every action on it: the kill switch nearest to the team. */
export const ANNOTATION_PAUSED = `${GROUP}/paused`;

/** On an incident: who approved its recommendation (a user name of its own, so that admission can hold it against the caller's) … */
export const ANNOTATION_APPROVED_BY = `${GROUP}/approved-by`;
/** … and when, and which change exactly, as JSON. */
export const ANNOTATION_APPROVAL = `${GROUP}/approval`;

/** Audience of the projected token with which an agent speaks to the operator. */
export const OPERATOR_AUDIENCE = 'robotgc-operator';
