"""What the page of figures says besides figures."""

INTRODUCTION = """\
# Benchmarks

Written by `make bench`, which takes about six minutes on a machine with two cores; nothing here is edited by hand. Figures depend
on the machine: what carries over is how they compare with each other, above all the share of the *floor*. The tests assert none of them.

![Calls a second and added latency, by configuration](benchmarks.svg)

- **direct**: the load calls the upstream without a gateway. It is the most that the two can do together.
- **floor**: a bare pass-through on Doorward's own HTTP server and connection pool, which governs nothing.
- **Doorward, everything on**: one process with agent keys or access tokens (RFC 9068, ES256, each verified once and known from then on), Cedar
  policies, inspection of requests and results, and two leaves in the log for each call, of which the first is on disk before the call is
  forwarded. All metrics are on as well.
- **Doorward, stages off**: what its configuration can switch off is off; [below](#what-each-stage-costs) it says what that is, and what is not.
"""

METHOD = """\
## How it is measured

- Loopback, plain HTTP, kept connections. The gateway has one core to itself, the upstream and the load share another.
- Every answer is checked: HTTP status 200, the id of its request, a text that no other request sends, word for word, and no error; streams
  event by event. One wrong answer, and there is no report.
- Closed loop, unless it says otherwise: each connection calls again as soon as it was answered.
- The upstream and the load are not what is measured: *direct* is at least {ratio} times what went through Doorward in the same row, and their core
  was at most {busiest:.0%} busy with them in Doorward's rows ({floor:.0%} in those of the floor).
- Each row is measured {repeats} times for {seconds:g} s ({opened:g} s in the open loop) after {warm:g} s of warming up, all rows in turn and then
  all of them again; the tables have the median, and the spread from the least to the greatest in percent of it. Percentiles are medians of each
  repeat's.
- *Calls per CPU-second* divides by the processor time of the gateway's process, its threads included: it holds on machines that are not idle.
- Where others took more than {foreign:.0%} of a core meanwhile, a row is measured once more, up to {again} times in a run; the less disturbed
  measurement counts, whatever its result. {disturbed}
- Eight agents with a key each, and eight with an access token; seven policies, and two more that compare an argument of the upstream which
  the rows that say so call.
- Larger results are English words in sentences, among them numbers; the same in each run.
- The log is an SQLite database in a temporary directory with `synchronous=FULL`, encrypted side records and an anchor file.
- *Stages* are measured on the rooms themselves, in microseconds of processor time; those that wait (7, 9, 11) with 64 calls at a time and
  all threads of the process counted.
"""
