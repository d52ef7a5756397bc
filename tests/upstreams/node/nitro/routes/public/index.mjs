import { answer } from "../../../h3-answer.mjs";

export default answer("public");
