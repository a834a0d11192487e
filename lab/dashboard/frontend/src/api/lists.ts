/** Lists of runs, page by page: only what is looked at is fetched. */
import { keepPreviousData, useQueries, useQuery, useQueryClient, type QueryClient } from "@tanstack/react-query";
import { api } from "./client";
import { keys } from "./keys";
import { keepSummary } from "./summaries";
import type { RunRow, StateFilter } from "./types";

export const PAGE = 50;

/** What a list is to show. */
export interface Question {
  /** Words and conditions: "fox lr>=1e-3". */
  q: string;
  state?: StateFilter;
  sweep?: string;
  sort?: string;
  descending?: boolean;
  columns?: string[];
}

export interface Page {
  rows: RunRow[];
  /** How many runs there are. */
  total: number;
  /** How many of them the server has read so far: it knows of no others whether they fit. */
  read: number;
  /** How many of those fit. */
  matching: number;
  /** Names in the conditions that mean no column, or several. */
  unknown: string[];
}

function numberIn(headers: Headers, name: string): number {
  return Number(headers.get(name) ?? 0);
}

async function fetchPage(cache: QueryClient, question: Question, offset: number, limit: number): Promise<Page> {
  const { columns, ...rest } = question;
  const query = { ...rest, columns: columns?.join(","), offset, limit };
  const { data: rows = [], response } = await api.GET("/api/runs", { params: { query } });
  for (const run of rows) keepSummary(cache, run.id, run);
  const unknown = response.headers.get("X-Unknown-Names");
  return {
    rows,
    total: numberIn(response.headers, "X-Total-Count"),
    read: numberIn(response.headers, "X-Read-Count"),
    matching: numberIn(response.headers, "X-Matching-Count"),
    unknown: unknown ? unknown.split(",").map(decodeURIComponent) : [],
  };
}

/** Some pages of a list, by their numbers. */
export function usePages(question: Question, pages: number[]) {
  const cache = useQueryClient();
  return useQueries({
    queries: pages.map((page) => ({
      queryKey: [...keys.runs, "page", question, page],
      queryFn: () => fetchPage(cache, question, page * PAGE, PAGE),
      staleTime: Infinity,
    })),
  });
}

/** The first few runs that fit: for a choice, where whoever wants another one types. */
export function useFirst(question: Question, limit: number, enabled = true) {
  const cache = useQueryClient();
  return useQuery({
    queryKey: [...keys.runs, "first", question, limit],
    queryFn: () => fetchPage(cache, question, 0, limit),
    staleTime: Infinity,
    placeholderData: keepPreviousData,
    enabled,
  });
}

const MOST_OF_SWEEP = 256;

/** The runs of a sweep, in the order in which they began. */
export function useSweepRuns(sweep: string) {
  const question = { q: "", sweep, sort: "created", descending: false };
  const { data: page, ...rest } = useFirst(question, MOST_OF_SWEEP, sweep !== "");
  return { ...rest, data: page?.rows };
}

/** Everything that a list can show, be sorted by, grouped by and asked for. */
export function useColumns() {
  return useQuery({
    queryKey: [...keys.runs, "columns"],
    queryFn: async () => (await api.GET("/api/runs/columns")).data ?? [],
    staleTime: Infinity,
  });
}

export const MOST_GROUPS = 200;

/** Runs in groups that have options in common, the lowest mean first. */
export function useGroups(question: Pick<Question, "q" | "state">, by: string, figure: string) {
  return useQuery({
    queryKey: [...keys.runs, "groups", question, by, figure],
    queryFn: async () => {
      const query = { ...question, by, figure, limit: MOST_GROUPS };
      const { data: groups = [], response } = await api.GET("/api/runs/groups", { params: { query } });
      return { groups, matching: numberIn(response.headers, "X-Matching-Count") };
    },
    placeholderData: keepPreviousData,
  });
}
