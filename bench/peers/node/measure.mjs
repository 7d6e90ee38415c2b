// Measures rule engines on Node.js over the lines of a file, and prints their answers and figures as JSON.
import { readFileSync } from 'node:fs'
import { Environment } from '@marcbachmann/cel-js'
import { Engine } from 'json-rules-engine'

const [path, rounds] = [process.argv[2], Number(process.argv[3])]
const lines = readFileSync(path, 'utf8').split('\n')
const events = lines.map((line) => JSON.parse(line))
const PREDICATES = 3
// Each figure is taken for at least this many milliseconds in each round.
const SPAN = 20

// Values as they are bound: only those that the predicates look at.
const bind = ({ total, price, quantity, category, country, coupon = null }) =>
  ({ total, price, quantity, category, country, coupon })
const bound = events.map((event) => bind(event.properties))

function cel() {
  const environment = new Environment()
    .registerVariable('total', 'double')
    .registerVariable('price', 'double')
    .registerVariable('quantity', 'double')
    .registerVariable('category', 'string')
    .registerVariable('country', 'string')
    .registerVariable('coupon', 'dyn')
  const predicates = [
    'total >= 100.0 && category == "shoes"',
    'category in ["shoes", "bags", "coats"] && price >= 50.0 && price <= 200.0',
    'country == "NO" && (coupon != null || quantity >= 3.0) && !(category == "socks")',
  ].map((text) => environment.parse(text))
  const [first, second, third] = predicates
  return {
    name: '@marcbachmann/cel-js 8.0.0',
    ask: (values) => Number(first(values)) | (Number(second(values)) << 1) | (Number(third(values)) << 2),
  }
}

function jsonRules() {
  const rules = [
    { all: [
      { fact: 'total', operator: 'greaterThanInclusive', value: 100 },
      { fact: 'category', operator: 'equal', value: 'shoes' },
    ] },
    { all: [
      { fact: 'category', operator: 'in', value: ['shoes', 'bags', 'coats'] },
      { fact: 'price', operator: 'greaterThanInclusive', value: 50 },
      { fact: 'price', operator: 'lessThanInclusive', value: 200 },
    ] },
    { all: [
      { fact: 'country', operator: 'equal', value: 'NO' },
      { any: [
        { fact: 'coupon', operator: 'notEqual', value: null },
        { fact: 'quantity', operator: 'greaterThanInclusive', value: 3 },
      ] },
      { not: { fact: 'category', operator: 'equal', value: 'socks' } },
    ] },
  ]
  const engine = new Engine()
  rules.forEach((conditions, number) => engine.addRule({ conditions, event: { type: String(number) } }))
  return {
    name: 'json-rules-engine 7.3.1',
    ask: async (facts) => {
      const { events: found } = await engine.run(facts)
      return found.reduce((bits, { type }) => bits | (1 << Number(type)), 0)
    },
  }
}

const sources = [
  (ask) => (event) => ask(bound[event]),
  (ask) => (event) => ask(bind(events[event].properties)),
  (ask) => (event) => ask(bind(JSON.parse(lines[event]).properties)),
]

// Nanoseconds an event. An engine that answers later is waited for; one that answers at once is not.
async function figure(answer, answers) {
  let took = 0n
  let asked = 0
  const later = answer(0) instanceof Promise
  while (took < BigInt(SPAN) * 1_000_000n) {
    const start = process.hrtime.bigint()
    if (later) {
      for (let event = 0; event < lines.length; event++) answers[event] = await answer(event)
    } else {
      for (let event = 0; event < lines.length; event++) answers[event] = answer(event)
    }
    took += process.hrtime.bigint() - start
    asked += lines.length
  }
  return Number(took) / asked
}

const median = (figures) => figures.sort((a, b) => a - b)[Math.floor(figures.length / 2)]

const peers = [cel(), jsonRules()].map((peer) => ({
  ...peer, figures: sources.map(() => []), answers: new Uint8Array(lines.length),
}))
// The first round only warms up, and is not counted.
for (let round = 0; round <= rounds; round++) {
  for (const peer of peers) {
    for (const [column, source] of sources.entries()) {
      const answers = new Uint8Array(lines.length)
      const took = await figure(source(peer.ask), answers)
      if (round > 0) peer.figures[column].push(column === 0 ? took / PREDICATES : took)
      if (round > 0 && answers.some((answer, event) => answer !== peer.answers[event])) {
        throw new Error(`${peer.name} does not answer twice the same`)
      }
      peer.answers = answers
    }
  }
}
console.log(JSON.stringify(peers.map(({ name, answers, figures }) =>
  ({ name, answers: answers.join(''), figures: figures.map(median) }))))
