package org.apache.livy

import java.io.File
import java.net.URI
import java.util.concurrent.Future

/** Livy's client. No code uses one in a driver, but the JVM loads the classes that the signatures
  * of a user's class name, and a class that submits a lambda often names this one.
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

/** A client's handle of a job that it has submitted. */
trait JobHandle[T] extends Future[T]

object JobHandle {

  /** A listener for a job's end. */
  trait Listener[T] {
    def onJobQueued(job: JobHandle[T]): Unit
    def onJobStarted(job: JobHandle[T]): Unit
    def onJobCancelled(job: JobHandle[T]): Unit
    def onJobFailed(job: JobHandle[T], cause: Throwable): Unit
    def onJobSucceeded(job: JobHandle[T], result: T): Unit
  }
}
