// The type of `dashboard.json`, from Grafana's own types. A test writes `const dashboard: Json = …` behind it, since TypeScript
// refuses unknown members only in literals.

import type { Dashboard, GraphFieldConfig, Panel, RowPanel } from "@grafana/schema";
import type { Options as Stat } from "@grafana/schema/dist/types/raw/composable/stat/panelcfg/x/types.gen";
import type { Options as TimeSeries } from "@grafana/schema/dist/types/raw/composable/timeseries/panelcfg/x/types.gen";

// JSON has the text of a string enumeration, and the number of another one.
type AsJson<T> = T extends string ? `${T}` : T extends number | boolean | null | undefined ? T : { [K in keyof T]: AsJson<T[K]> };

// A query of the data source for Prometheus, of which the package has no type.
type Target = { refId: string; datasource: { type: "prometheus"; uid: string }; expr: string; legendFormat: string; range: true };

type Of<Type extends string, Options, Custom> = Omit<Panel, "type" | "options" | "fieldConfig" | "targets"> & {
  type: Type;
  options: Options;
  fieldConfig: Omit<NonNullable<Panel["fieldConfig"]>, "defaults"> & {
    defaults: Omit<NonNullable<Panel["fieldConfig"]>["defaults"], "custom"> & { custom?: Custom };
  };
  targets: Target[];
};

export type Json = AsJson<
  Omit<Dashboard, "panels"> & {
    panels: (RowPanel | Of<"stat", Stat, never> | Of<"timeseries", TimeSeries, GraphFieldConfig>)[];
  }
>;
