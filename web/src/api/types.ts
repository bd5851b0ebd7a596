/*
 * The shapes of /api/v1, by the names that the page calls them. All of it comes from httpd/openapi.json (types/openapi.d.ts is made of it by
 * `npm run types`); what the document can only say in words is added here.
 */
import type { components, operations } from '../../types/openapi';

export type Shapes = components['schemas'];
/** Members that the document lets be null, and that never are in what the page is shown. */
type Known<T, K extends keyof T> = Omit<T, K> & { [P in K]: NonNullable<T[P]> };
/** What an operation answers when all is well. */
export type Answer<O extends keyof operations> = operations[O] extends { responses: { 200: { content: { 'application/json': infer A } } } } ? A : never;

export type Pair = Shapes['Pair'];
export type InOut = Shapes['InOut'];
/** Of a session there is always a token for its changes. */
export type Me = Known<Shapes['Me'], 'csrf'>;
/** What one may do in one tenant; "*" is the platform. Empty lists: all of it. */
export type Access = Shapes['Access'];
/** When, and from where. */
export type Visit = NonNullable<Shapes['Visit']>;
export type User = Shapes['User'];
export type Account = Shapes['Account'];
/** An identity provider that one can log in at. */
export interface Provider {
	name: string;
	label: string;
}
/** What a login asks for next. */
export interface SecondStep {
	ticket: string;
}

/** speed_bps: bits a second that it can carry */
export type Interface = Shapes['Interface'];
export type Host = Known<Shapes['Host'], 'first' | 'last'>;
export type Port = Shapes['Port'];
export type Device = Known<Shapes['Device'], 'first' | 'last'>;
export type Endpoint = Shapes['End'];
export type TtlRange = Shapes['TtlRange'];
export type Flow = Known<Shapes['Flow'], 'first' | 'last' | 'observation_point'>;
export type Application = Known<Shapes['Application'], 'name'>;
/** What is known of a flow of one protocol; null: not known. */
export type Attributes = Record<string, unknown>;

type Result = Answer<'search'>['results'][number];
/** What the page finds by itself has no more than it needs. */
export type SearchResult = Pick<Result, 'kind' | 'key' | 'text'> & Partial<Result>;
export type Label = Shapes['Label'];
export type Watched = Shapes['Watched'];

/** time, bytes, packets, their and the flows' maxima (null: not known), bytes in and out, packets in and out */
export type SeriesPoint = [number, number, number, number | null, number | null, number | null, number, number, number, number];
export type Series = Omit<Shapes['Series'], 'points'> & { points: SeriesPoint[] };
/** bytes of a bucket of 300 s */
export type Percentile = NonNullable<Shapes['Series']['percentile']>;
/** Of what series are kept: the first three (and what is watched) by the second, all others by the minute. */
export type Subject = Series['subject'];
export type SubjectList = Answer<'timeseriesSubjects'>;
/** What went through a network, country, AS (which has a name) or category since Weir started. */
export type Sum = Shapes['Sum'] & { name?: string | null };
export interface SumList {
	now: number;
	rows: Sum[];
	next_cursor: string | null;
}

export type Counter = Shapes['Counter'];
export type Component = Shapes['Component'];
export type History = Shapes['History'];
export type Health = Shapes['Health'];
export type LiveEvent = Omit<Shapes['Live'], 'interfaces' | 'hosts' | 'applications' | 'flows'> & {
	interfaces: Interface[];
	hosts: Host[];
	applications: Application[];
	flows: Flow[];
};
export type UnavailableEvent = Shapes['Unavailable'];
export type Totals = LiveEvent['totals'];

interface Page {
	now: number;
	next_cursor: string | null;
}
export type HostList = Page & { hosts: Host[] };
export type DeviceList = Page & { devices: Device[] };
export type FlowList = Page & { flows: Flow[] };

export type Problem = Shapes['Problem'];
/** What is wrong with one member or parameter; at and length: where in it, in bytes of UTF-8. */
export type FieldError = NonNullable<Problem['errors']>[number];
/** A word of the filter language; ends: src or dst may stand before it. */
export type FilterWord = Answer<'filter'>['words'][number];

export type GroupKey = string | number | null;
/** group: what its flows have in common, by dimension; names: what that is called, where it has a name besides; beside them the sums that were asked for */
export type Group = Omit<Shapes['FlowGroup'], 'group'> & { group: Record<string, GroupKey>; names: Record<string, string> };
export type GroupList = Omit<Answer<'topFlows'>, 'groups'> & { groups: Group[] };
