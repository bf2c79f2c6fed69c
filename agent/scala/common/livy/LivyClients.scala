package org.apache.livy

import java.io.File
import java.net.URI
import java.util.concurrent.Future

/** Livy's client. Nothing uses one in a driver, but a class that submits a lambda is loaded here with all that its methods'
  * signatures name, and that is often this.
  */
trait LivyClient {
  def submit[T](job: Job[T]): JobHandle[T]
  def run[T](job: Job[T]): Future[T]
  def stop(shutdownContext: Boolean): Unit
  def uploadJar(jar: File): Future[_]
  def addJar(uri: URI): Future[_]
  def uploadFile(file: File): Future[_]
  def addFile(uri: URI): Future[_]
}

/** What a client holds of a job that it has submitted. */
trait JobHandle[T] extends Future[T]

object JobHandle {

  /** Who is told what becomes of a job. */
  trait Listener[T] {
    def onJobQueued(job: JobHandle[T]): Unit
    def onJobStarted(job: JobHandle[T]): Unit
    def onJobCancelled(job: JobHandle[T]): Unit
    def onJobFailed(job: JobHandle[T], cause: Throwable): Unit
    def onJobSucceeded(job: JobHandle[T], result: T): Unit
  }
}
