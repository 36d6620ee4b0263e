package upstream

// HTTPStatus is the status with which a backend refused a request; errors.As finds it
// below an UnavailableError.
func (e *statusError) HTTPStatus() int { return e.status }
