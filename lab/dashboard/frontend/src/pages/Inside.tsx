import { PageHead } from "@/shell/PageHead";

export default function Inside() {
  return <PageHead title="Inside" />;
}
