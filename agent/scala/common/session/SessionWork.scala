package livius.agent

/** The work that one session has in hand, and what runs it, for the hello.
  *
  * @param session      none for the driver's only session
  * @param active       the statement that runs, or whose result is being told
  * @param interpreters those that are up
  */
final case class SessionWork(
    session: Option[Int], active: Option[Int], queued: Seq[Int], jobs: Seq[Int], interpreters: Seq[RunningInterpreter])

object SessionWork {

  /** Of the only session of a driver that has not begun to serve it. */
  val none: SessionWork = SessionWork(session = None, active = None, queued = Nil, jobs = Nil, interpreters = Nil)
}

/** An interpreter that is up.
  *
  * @param since when it was started, in epoch milliseconds
  */
final case class RunningInterpreter(kind: String, since: Long)
