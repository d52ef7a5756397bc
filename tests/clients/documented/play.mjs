// Plays each scenario of SCENARIOS, and prints the status in the end and what the client asked `token` for.
export async function play(send) {
  for (const scenario of JSON.parse(process.env.SCENARIOS)) {
    const asked = [];
    const token = async ({refresh, scope}) => {
      asked.push(refresh ? "refresh" : scope ? `scope ${scope}` : "token");
      return refresh ? scenario.refreshed : scope ? scenario.scoped : scenario.token;
    };
    const status = await send(scenario, token);
    console.log(JSON.stringify({name: scenario.name, status, asked}));
  }
}
