package livius.agent

/** What one session has in hand, as the hello tells it.
  *
  * @param session none stands for the driver's only one
  * @param active  the statement that runs, or whose result is being told
  */
final case class SessionWork(session: Option[Int], active: Option[Int], queued: Seq[Int], jobs: Seq[Int])
