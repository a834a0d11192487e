import { PageHead } from "@/shell/PageHead";

export default function Compare() {
  return <PageHead title="Compare" />;
}
