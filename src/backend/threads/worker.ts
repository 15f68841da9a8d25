/** The file of a worker in a page: serves the pool that it is told of. In Node no file is needed. */
import { type Start, serve } from "./serve.ts";

addEventListener("message", (event: MessageEvent<Start>) => {
  serve(event.data);
  close();
});
