package livius.agent

/** Threads of the agent: named, and never the reason why the driver stays alive. */
object Threads {

  def daemon(name: String)(body: => Unit): Thread = {
    val thread = new Thread(new Runnable { def run(): Unit = body }, s"livius-$name")
    thread.setDaemon(true)
    thread.start()
    thread
  }
}
