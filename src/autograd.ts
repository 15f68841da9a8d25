/** What `autograd` has: MXNet's names. A contents page. */
export {
  Function,
  graphSize,
  isRecording,
  isTraining,
  markVariables,
  pause,
  predictMode,
  record,
  setRecording,
  setTraining,
  trainMode,
} from "./functions/recording.ts";
export { backward, gradOf as grad } from "./grad.ts";
