package livius.agent

/** Threads of the agent: named daemons, so that they never keep the driver alive. */
object Threads {

  def daemon(name: String)(body: => Unit): Thread = {
    val thread = new Thread(new Runnable { def run(): Unit = body }, s"livius-$name")
    thread.setDaemon(true)
    thread.start()
    thread
  }
}
